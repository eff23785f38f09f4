// What is wrong with an open page: what axe-core finds, and how many pixels it is too wide.
"use strict";
const fs = require("fs");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

module.exports = async function examine(page) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.evaluate(axe); // by the debugger, which the policy of the page does not concern
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  const violations = found.violations.map((violation) => violation.id + ": "
    + violation.nodes.map((node) => node.html).join(" ").slice(0, 300));
  return { overflow, violations, passes: found.passes.length };
};
