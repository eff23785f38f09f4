--- Makes a certificate authority, ca.pem, and by it a certificate for the loopback interface: server.pem, server.key.

local shell = require "spec.support.shell"

---@param dir string the folder of the files
return function(dir)
  shell(([[cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=simulator-ca \
    -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE && \
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr && \
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:api.cekura.ai' > names && \
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem]])
    :format(dir))
end
