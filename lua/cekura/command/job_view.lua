--- How the command shows the jobs that it waits for: one as a line, several as a table, each change as a plain line.

local core = require "cekura.core"
local status = require "cekura.job.status"
local text = require "cekura.command.text"

local job_view = {}

local SYMBOLS = {
  unicode = {
    good = "✓", bad = "✗", left = "–", full = "█", empty = "░", open = "", close = "",
    spinner = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" }, more = "…",
  },
  ascii = {
    good = "ok", bad = "x", left = "-", full = "#", empty = ".", open = "[", close = "]",
    spinner = { "|", "/", "-", "\\" }, more = "...",
  },
}

local LONGEST_ID = 12 -- columns; a longer one is cut
local SHORT_ID = 9
local LONGEST_WORD = 24
local LONGEST_WORD_IN_TABLE = 16
local BAR = 12
local NEXT_POLL = #"next poll in 00 s" -- its reserved width, so that other pieces do not come and go with it

local GOOD = { succeeded = true, nothing_to_do = true }

local function symbols()
  return text.is_utf8() and SYMBOLS.unicode or SYMBOLS.ascii
end

---@class cekura.JobEntry
---@field job cekura.Job
---@field is_over? boolean the wait for it has ended
---@field err? cekura.Error why, unless it has succeeded
---@field reported? string its last plain line
---@field elapsed? number the seconds until then

-- ---- the facts of a job, as visible text ----

-- Text from the service or the user, made visible, without any secrets in it.
local function visible(job, value)
  return text.visible(core.redact(core.fields(job)._client, tostring(value)))
end

local function id_of(job)
  local id = job.id and visible(job, job.id) or "-"
  return text.width(id) > LONGEST_ID and text.fit(id, SHORT_ID) or id
end

-- The service's word for the status, if it adds something to the state.
local function word_of(job, columns)
  local word = status.read(job.status)
  return word and word ~= job.state and text.fit(visible(job, job.status), columns or LONGEST_WORD) or nil
end

-- The errors of waits that ended as intended while the job goes on.
local LEFT = { timeout = true, cancelled = true, closed = true, needs_input = true }

-- Whether the wait failed, rather than the job.
local function has_failed_wait(entry)
  return entry.is_over and entry.err ~= nil and not LEFT[entry.err.kind] and not status.is_end(entry.job.state)
end

local function state_of(entry)
  local state = entry.job.state
  return has_failed_wait(entry) and state .. ", " .. text.visible(tostring(entry.err.kind)) or state
end

-- From 0 to 1; nil if the service does not count.
local function share_of(job)
  local share = job.progress
  return type(share) == "number" and share == share and math.max(0, math.min(1, share)) or nil
end

local function percent(share)
  return ("%d %%"):format(math.floor(share * 100))
end

local function bar(share)
  local symbol, full = symbols(), math.floor(share * BAR)
  return symbol.open .. symbol.full:rep(full) .. symbol.empty:rep(BAR - full) .. symbol.close
end

local function elapsed_of(entry)
  return math.floor(math.max(0, entry.elapsed or entry.job.elapsed))
end

local function clock(seconds)
  local minutes = math.floor(seconds / 60)
  if minutes < 60 then
    return ("%d:%02d"):format(minutes, seconds % 60)
  end
  return ("%d:%02d:%02d"):format(math.floor(minutes / 60), minutes % 60, seconds % 60)
end

local function next_poll_of(job)
  local seconds = core.next_poll(job)
  return seconds and (seconds == 0 and "polling" or ("next poll in %d s"):format(math.ceil(seconds))) or nil
end

-- The mark of a job, nil as long as it is waited for; and the colour of its state.
local function ending_of(entry)
  local state = entry.job.state
  if not entry.is_over and not status.is_end(state) then
    return nil, "cyan"
  elseif GOOD[state] then
    return symbols().good, "green"
  elseif status.is_end(state) or has_failed_wait(entry) then
    return symbols().bad, "red"
  end
  return symbols().left, "yellow" -- it goes on, or waits for an answer
end

--- A frame of the spinner.
---@param frame integer
---@return string
local function spinner(frame)
  local pictures = symbols().spinner
  return pictures[frame % #pictures + 1]
end

-- ---- lines of pieces ----

-- Joins pieces to a line, which is painted if it fits. A piece has a text, its style, and in `gap` the number of blanks
-- before it; `room` is its reserved width.
local function join(stream, pieces, columns)
  local plain, painted, width = {}, {}, 0
  for _, piece in ipairs(pieces) do
    local blanks = (" "):rep(#plain > 0 and piece.gap or 0)
    plain[#plain + 1] = blanks .. piece.text
    painted[#painted + 1] = blanks .. (piece.style and stream:paint(piece.style, piece.text) or piece.text)
    width = width + #blanks + text.width(piece.text)
  end
  if width <= columns then
    return { text = table.concat(painted), width = width }
  end
  local cut = text.fit(table.concat(plain), columns)
  return { text = cut, width = text.width(cut) }
end

-- ---- one job ----

-- The pieces that are left out on a narrow terminal, the least useful first.
local DROPPED_FROM_LINE = { "id", "kind", "next_poll", "bar", "word", "percent" }

local LINE = { "mark", "kind", "id", "state", "word", "elapsed", "bar", "percent", "next_poll" }

local function pieces_of_line(entry, frame)
  local job, share = entry.job, share_of(entry.job)
  local mark, color = ending_of(entry)
  local word, next_poll = word_of(job), not mark and next_poll_of(job)
  return {
    mark = { text = mark or frame and spinner(frame) or symbols().left, style = color, gap = 0 },
    kind = { text = visible(job, job.kind), gap = 1 },
    id = { text = id_of(job), style = "dim", gap = 1 },
    state = { text = state_of(entry), style = color, gap = 1 },
    word = word and { text = "(" .. word .. ")", gap = 1 },
    elapsed = { text = clock(elapsed_of(entry)), gap = 2 },
    bar = share and not mark and { text = bar(share), gap = 2 },
    percent = share and not mark and { text = percent(share), gap = 2 },
    next_poll = next_poll and { text = next_poll, style = "dim", gap = 2, room = NEXT_POLL },
  }
end

local function in_order(pieces)
  local list, width = {}, 0
  for _, name in ipairs(LINE) do
    local piece = pieces[name]
    if piece then
      width = width + (#list > 0 and piece.gap or 0) + math.max(piece.room or 0, text.width(piece.text))
      list[#list + 1] = piece
    end
  end
  return list, width
end

--- A job as one line: its kind and id, its progress, and the time until the next poll.
---@param stream cekura.CommandStream
---@param entry cekura.JobEntry
---@param columns integer the most that the line may take
---@param frame? integer of the spinner; nil if nothing moves any more
---@return cekura.DrawnLine
function job_view.line(stream, entry, columns, frame)
  local pieces = pieces_of_line(entry, frame)
  local list, width = in_order(pieces)
  for _, name in ipairs(DROPPED_FROM_LINE) do
    if width <= columns then
      break
    end
    pieces[name] = nil
    list, width = in_order(pieces)
  end
  return join(stream, list, columns)
end

--- A change of a job as a plain line, without a line feed.
---@param entry cekura.JobEntry
---@return string line without the time that has passed
---@return string elapsed
function job_view.plain(entry)
  local job, share = entry.job, share_of(entry.job)
  local word = word_of(job)
  local line = ("%s %s %s%s%s"):format(visible(job, job.kind), id_of(job), state_of(entry),
    word and " (" .. word .. ")" or "", share and ", " .. percent(share) or "")
  return line, (", after %d s"):format(elapsed_of(entry))
end

-- ---- several jobs ----

-- What is left out of a narrow table, in this order.
local DROPPED_FROM_TABLE = { "bar", "word", "kind", "progress", "id" }

local function progress_cell(entry, shown)
  local share = share_of(entry.job)
  if not share then
    return ""
  end
  return shown.bar and bar(share) .. " " .. percent(share) or percent(share)
end

local function state_cell(entry, shown)
  local word = shown.word and word_of(entry.job, LONGEST_WORD_IN_TABLE)
  return state_of(entry) .. (word and " (" .. word .. ")" or "")
end

local COLUMNS = {
  { name = "kind", title = "KIND", cell = function(entry) return visible(entry.job, entry.job.kind) end },
  { name = "id", title = "ID", style = "dim", cell = function(entry) return id_of(entry.job) end },
  { name = "state", title = "STATE", cell = state_cell },
  { name = "elapsed", title = "ELAPSED", is_number = true, cell = function(entry)
    return clock(elapsed_of(entry))
  end },
  { name = "progress", title = "PROGRESS", short = "DONE", cell = progress_cell },
}

-- Returns the cells of the rows, the first of which has the titles; the width of each column; and the total width with
-- marks and blanks.
local function layout(entries, shown)
  local rows, widths, total = { {} }, {}, text.width(symbols().good) - 1
  for place, column in ipairs(COLUMNS) do
    if shown[column.name] ~= false then
      rows[1][place] = not shown.bar and column.short or column.title
      widths[place] = text.width(rows[1][place])
      for index, entry in ipairs(entries) do
        local cell = column.cell(entry, shown)
        rows[index + 1] = rows[index + 1] or {}
        rows[index + 1][place] = cell
        widths[place] = math.max(widths[place], text.width(cell))
      end
      total = total + 2 + widths[place]
    end
  end
  return rows, widths, total
end

local function fitting_layout(entries, columns)
  local shown = { bar = true, word = true }
  local rows, widths, total = layout(entries, shown)
  for _, name in ipairs(DROPPED_FROM_TABLE) do
    if total <= columns then
      break
    end
    shown[name] = false
    rows, widths, total = layout(entries, shown)
  end
  return rows, widths
end

local function pieces_of_row(row, widths, mark, style_of)
  local pieces = { mark }
  for place, column in ipairs(COLUMNS) do
    if widths[place] then
      local cell = row[place]
      local blanks = widths[place] - text.width(cell)
      pieces[#pieces + 1] = { text = cell, style = style_of(column), gap = #pieces == 1 and 1 or 2 }
      pieces[#pieces].gap = pieces[#pieces].gap + (column.is_number and blanks or 0)
      if not column.is_number and blanks > 0 then
        pieces[#pieces + 1] = { text = (" "):rep(blanks), gap = 0 }
      end
    end
  end
  return pieces
end

-- The entries that fit, in their order. Those that are still waited for have priority.
local function choose(entries, room)
  local chosen, count = {}, 0
  for _, is_over in ipairs { false, true } do
    for _, entry in ipairs(entries) do
      if count < room and (ending_of(entry) ~= nil) == is_over then
        chosen[entry], count = true, count + 1
      end
    end
  end
  local list, hidden, running = {}, 0, 0
  for _, entry in ipairs(entries) do
    if chosen[entry] then
      list[#list + 1] = entry
    else
      hidden = hidden + 1
      running = running + (ending_of(entry) and 0 or 1)
    end
  end
  return list, hidden, running
end

local function summary(stream, hidden, running, columns)
  local line = ("%s and %d more, %d running"):format(symbols().more, hidden, running)
  return join(stream, { { text = line, style = "dim", gap = 0 } }, columns)
end

--- Several jobs as a table.
---@param stream cekura.CommandStream
---@param entries cekura.JobEntry[]
---@param size { columns: integer, rows: number } the most that the table may take
---@param frame? integer of the spinner; nil if nothing moves any more
---@return cekura.DrawnLine[]
function job_view.table(stream, entries, size, frame)
  local list, hidden, running = entries, 0, 0
  if #entries + 1 > size.rows then
    list, hidden, running = choose(entries, math.max(0, size.rows - 2))
  end
  local rows, widths = fitting_layout(list, size.columns)
  local lines, mark_width = {}, text.width(symbols().good)
  local moves = frame and select(3, choose(entries, 0)) > 0
  local function add(row, mark, style, style_of)
    local piece = { text = text.pad(mark, mark_width), style = mark ~= "" and style or nil, gap = 0 }
    lines[#lines + 1] = join(stream, pieces_of_row(row, widths, piece, style_of), size.columns)
  end
  if #list > 0 then
    add(rows[1], moves and spinner(frame) or "", "cyan", function() return "bold" end)
  end
  for index, entry in ipairs(list) do
    local mark, color = ending_of(entry)
    add(rows[index + 1], mark or "", color, function(column)
      return column.name == "state" and color or column.style
    end)
  end
  if hidden > 0 then
    lines[#lines + 1] = summary(stream, hidden, running, size.columns)
  end
  return lines
end

return job_view
