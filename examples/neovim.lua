-- For Neovim: :CekuraImprove AGENT_ID CALL_LOG_ID... improves the prompt in the current buffer. You can keep editing
-- while it runs: the new prompt replaces the old one only if the buffer has not changed. In your init.lua:
--
--   dofile "…/examples/neovim.lua"
--
-- The key comes from CEKURA_API_KEY or ~/.cekura/config.toml.

local cekura = require "cekura"

local client

local function improve(buffer, agent_id, call_logs)
  client = client or cekura.assert(cekura.new()) -- on first use, not when Neovim starts
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  local changed_tick = vim.api.nvim_buf_get_changedtick(buffer)
  local job, err = client.calls:improve_prompt { agent_id = agent_id, call_logs = call_logs,
    prompt = table.concat(lines, "\n") }
  local result
  if job then
    result, err = job:wait { on_progress = function()
      vim.notify(("The improvement is %s after %.1f s"):format(tostring(job.status), job.elapsed))
    end }
  end
  if not result then
    vim.notify(tostring(err), vim.log.levels.ERROR)
  elseif not result.improved_prompt then
    vim.notify("Nothing to do: " .. result.reason)
  elseif vim.api.nvim_buf_get_changedtick(buffer) ~= changed_tick then
    vim.notify("The buffer has changed, so the improved prompt is in register p")
    vim.fn.setreg("p", result.improved_prompt)
  else
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(result.improved_prompt, "\n"))
    vim.notify("Improved: " .. (result.summary_of_changes or ""))
  end
end

vim.api.nvim_create_user_command("CekuraImprove", function(command)
  local agent_id = table.remove(command.fargs, 1)
  coroutine.wrap(improve)(vim.api.nvim_get_current_buf(), agent_id, command.fargs)
end, { nargs = "+", desc = "Improve the prompt in this buffer from call logs of an agent" })
