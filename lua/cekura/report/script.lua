--- The script of the page, which ties the player of the recording to the timeline and the transcript. Its checksum is
-- in cekura.report.policy. Without it, the times are links into the recording.

return [[
(function () {
  "use strict";
  function list(selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); }
  var audio = document.querySelector("audio"), lines = list(".timeline");
  if (!audio) return;
  var status = document.getElementById("player-status"), broken = false, current = null;
  var turns = list(".turn[data-at]");
  function seek(seconds) {
    audio.currentTime = seconds;
    var played = audio.play();
    if (played) played.catch(function () {});
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-seek]");
    if (!link || broken || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.getAttribute("href").charAt(0) !== "#") event.preventDefault();
    seek(Number(link.dataset.seek));
  });
  audio.addEventListener("error", function () {
    broken = true;
    status.textContent = "The recording cannot be played here.";
  });
  audio.addEventListener("timeupdate", function () {
    var now = audio.currentTime, found = null;
    turns.forEach(function (turn) { if (Number(turn.dataset.at) <= now) found = turn; });
    if (found !== current) {
      if (current) current.removeAttribute("aria-current");
      if (found) found.setAttribute("aria-current", "true");
      current = found;
    }
    lines.forEach(function (line) {
      var from = Number(line.dataset.from), head = line.querySelector(".playhead");
      var part = (now - from) / (Number(line.dataset.to) - from);
      head.setAttribute("visibility", part >= 0 && part < 1 ? "visible" : "hidden");
      head.setAttribute("x1", part * 100 + "%");
      head.setAttribute("x2", part * 100 + "%");
    });
  });
  lines.forEach(function (line) {
    line.addEventListener("click", function (event) {
      var from = Number(line.dataset.from), box = line.getBoundingClientRect();
      var part = (event.clientX - box.left) / box.width;
      if (!broken) seek(Math.max(0, from + part * (Number(line.dataset.to) - from)));
    });
  });
})();
]]
