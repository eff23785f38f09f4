// Opens pages in headless Chromium, and prints what it finds as one JSON object.
//   node judge.js judge PAGE...   each page at 320 and 1,600 pixels, light and dark; with PICTURES=DIRECTORY
//                   in the environment, pictures of them are written there
//   node judge.js play PAGE PORT         plays a recording, which is served on that port of the loopback interface
"use strict";
const http = require("http");
const path = require("path");
const puppeteer = require("puppeteer-core");
const examine = require("./examine.js");

const PATIENCE = 20000; // milliseconds

const [mode, ...rest] = process.argv.slice(2);

async function open(browser, file, width, scheme) {
  const page = await browser.newPage();
  const seen = { errors: [], requests: [], dialogs: 0 };
  page.on("dialog", (dialog) => { seen.dialogs++; dialog.dismiss(); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    // A frame that is missing, or a recording that is not served, is not the page's fault.
    if (message.type() === "error" && !/ERR_FAILED/.test(message.text())) seen.errors.push(message.text());
  });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
  await page.goto("file://" + path.resolve(file));
  return { page, seen };
}

// Clicks each link, and moves over each element, as attacks may wait for either.
async function provoke(page) {
  await page.evaluate(() => {
    document.querySelectorAll("*").forEach((element) => {
      for (const name of ["mouseover", "focus", "load", "error"]) element.dispatchEvent(new Event(name));
    });
    document.querySelectorAll("a").forEach((link) => link.click());
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
}

async function judge(browser, file, width, scheme) {
  const { page, seen } = await open(browser, file, width, scheme);
  if (process.env.PICTURES) {
    const name = path.basename(file, ".html") + "-" + width + "-" + scheme + ".png";
    await page.screenshot({ path: path.join(process.env.PICTURES, name), fullPage: true });
  }
  Object.assign(seen, await examine(page));
  seen.back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) seen.requests.push(request.url()); // such as icons of the player
    request.respond({ status: 204 }); // the page stays where it is
  });
  await provoke(page);
  seen.broken = await page.evaluate(() => window.broken === 1);
  await page.close();
  return { page: path.basename(file), width, scheme, ...seen };
}

// A recording of 70 seconds of silence.
function serve(port) {
  const size = 70 * 8000, wav = Buffer.alloc(44 + size, 128);
  wav.write("RIFF", 0); wav.writeUInt32LE(36 + size, 4); wav.write("WAVEfmt ", 8); wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); wav.writeUInt16LE(1, 22); wav.writeUInt32LE(8000, 24); wav.writeUInt32LE(8000, 28);
  wav.writeUInt16LE(1, 32); wav.writeUInt16LE(8, 34); wav.write("data", 36); wav.writeUInt32LE(size, 40);
  const server = http.createServer((request, response) => {
    if (!request.url.endsWith(".wav")) return response.writeHead(404).end();
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range || "");
    const from = range ? Number(range[1]) : 0, to = range && range[2] ? Number(range[2]) : wav.length - 1;
    response.writeHead(range ? 206 : 200, { "Content-Type": "audio/wav", "Accept-Ranges": "bytes",
      "Content-Length": to - from + 1, "Content-Range": `bytes ${from}-${to}/${wav.length}` });
    response.end(wav.subarray(from, to + 1));
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
}

// Waits until the player is at a time or up to five seconds after it, and says which turn is marked.
async function played(page, from) {
  await page.waitForFunction((time) => {
    const audio = document.querySelector("audio"), head = document.querySelector(".playhead");
    const at = parseFloat(head.getAttribute("x1")) / 100 * 70;
    return audio.currentTime >= time && at >= time && at < time + 5;
  }, { timeout: PATIENCE }, from);
  return page.evaluate(() => ({
    turns: Array.from(document.querySelectorAll("[aria-current]"), (turn) => turn.id),
    playhead: document.querySelector(".playhead").getAttribute("visibility"),
    url: location.href.replace(/^.*\//, ""),
  }));
}

async function play(browser, file, port) {
  await serve(Number(port));
  const { page, seen } = await open(browser, file, 1600, "light");
  const turn = (number) => "#turn-" + number + " a[data-seek]";
  await page.click(turn(5));
  seen.clicked = await played(page, 14.5);
  await page.focus(turn(8));
  await page.keyboard.press("Enter");
  seen.entered = await played(page, 52);
  await page.evaluate(() => {
    document.querySelector("audio").pause();
    scrollTo(0, 0);
  });
  const box = await (await page.$(".timeline")).boundingBox();
  await page.mouse.click(box.x + box.width * 0.35, box.y + 20);
  await page.waitForFunction(() => document.querySelector("audio").currentTime < 50, { timeout: PATIENCE });
  seen.pointed = await played(page, 24.4);
  await page.click(".metrics a[href='#turn-5']");
  await page.waitForFunction(() => location.hash === "#turn-5", { timeout: PATIENCE });
  seen.linked = await played(page, 14);
  await page.close();
  const silent = await open(browser, file.replace(/\.html$/, "-broken.html"), 1600, "light");
  await silent.page.click(turn(5));
  await silent.page.waitForFunction(() => document.getElementById("player-status").textContent, { timeout: PATIENCE });
  seen.status = await silent.page.evaluate(() => document.getElementById("player-status").textContent);
  return seen;
}

(async () => {
  const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--proxy-server=127.0.0.1:1",
      "--proxy-bypass-list=127.0.0.1"] });
  let result;
  try {
    if (mode === "play") {
      result = await play(browser, ...rest);
    } else {
      result = [];
      for (const file of rest) {
        for (const width of [320, 1600]) {
          for (const scheme of ["light", "dark"]) result.push(await judge(browser, file, width, scheme));
        }
      }
    }
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(result) + "\n", () => process.exit(0));
})().catch((error) => {
  process.stderr.write(String(error.stack) + "\n", () => process.exit(1));
});
