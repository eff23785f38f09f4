// Headless Chromium by remote control: does what is posted to a port of the loopback interface, and answers with JSON.
//   node drive.js PORT
// A request is { "deed": NAME, "page": NAME, … }. Each page has its own cookies, cache and connections.
"use strict";
const http = require("http");
const puppeteer = require("puppeteer-core");
const examine = require("./examine.js");

const pages = new Map(); // by name: { page, seen }

// Opens a page: url; width, scheme ("light" or "dark"), script (false: there is none).
async function open(browser, { page: name, url, width = 1024, scheme = "light", script = true }) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const seen = { errors: [], requests: [], dialogs: 0, loads: 0 };
  pages.set(name, { page, seen });
  page.on("dialog", (dialog) => { seen.dialogs++; dialog.dismiss(); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("domcontentloaded", () => seen.loads++);
  await page.setJavaScriptEnabled(script);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
  await page.goto(url);
}

const deeds = {
  // Evaluates an expression in the page.
  run: ({ page }, { code }) => page.evaluate(code),
  // Clicks an element; of a link or a form, waits for the page that it leads to.
  click: ({ page }, { selector, leads }) => Promise.all([
    leads ? page.waitForNavigation() : null, page.click(selector)]).then(() => null),
  type: ({ page }, { selector, text }) => page.type(selector, text),
  press: ({ page }, { keys, leads }) => Promise.all([leads ? page.waitForNavigation() : null, (async () => {
    for (const key of keys) await page.keyboard.press(key);
  })()]).then(() => null),
  examine: ({ page }) => examine(page),
  picture: ({ page }, { path }) => page.screenshot({ path, fullPage: true }).then(() => null),
  seen: ({ seen }) => seen,
  close: ({ page }, { page: name }) => {
    pages.delete(name);
    return page.browserContext().close();
  },
};

async function handle(browser, request) {
  let text = "";
  for await (const part of request) text += part;
  const order = JSON.parse(text);
  if (order.deed === "open") return open(browser, order);
  return deeds[order.deed](pages.get(order.page), order);
}

(async () => {
  const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--proxy-server=127.0.0.1:1", "--proxy-bypass-list=127.0.0.1"] });
  const server = http.createServer((request, response) => {
    handle(browser, request).then((value) => [200, { value }], (error) => [500, { error: String(error.stack) }])
      .then(([status, answer]) => {
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(JSON.stringify(answer));
      });
  });
  server.listen(Number(process.argv[2]), "127.0.0.1");
  process.on("SIGTERM", () => browser.close().finally(() => process.exit(0)));
})();
