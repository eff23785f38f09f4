--- Writes the man page of `cekura-lua`: a placeholder.

print('.TH CEKURA-LUA 1 "" "cekura ' .. require "cekura.version" .. '"')
print('.SH NAME\ncekura-lua \\- jobs and records of the Cekura API')
