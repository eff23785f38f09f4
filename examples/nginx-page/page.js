// Shows the progress of a job as it comes, and its outcome. Without this script the page has a link instead.
"use strict";

const line = document.getElementById("status");
const bar = document.getElementById("progress");

// Screen readers read the line whenever it is set.
function say(text) {
  if (line.textContent !== text) line.textContent = text;
}

// The outcome comes as HTML, from the page itself.
async function showOutcome() {
  const response = await fetch(location.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  document.getElementById("outcome").replaceWith(page.getElementById("outcome"));
  line.className = page.getElementById("status").className;
  bar.remove();
}

function follow(url) {
  const events = new EventSource(url);
  let last = line.textContent;
  events.onopen = () => say(last);
  events.onmessage = (event) => {
    const state = JSON.parse(event.data);
    say(last = state.status);
    if (state.progress !== undefined) bar.value = state.progress;
    if (state.over) {
      events.close();
      showOutcome().catch(() => location.reload());
    }
  };
  events.onerror = () => { // the browser tries again, unless the server has refused
    say(events.readyState === EventSource.CLOSED ? "The server does not know this job any more."
      : "The connection is lost. Trying again …");
  };
}

if (line && line.dataset.events) follow(line.dataset.events);
