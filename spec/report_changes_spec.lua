--- The page of the changes of a prompt. spec/hosts/report_page_spec.lua opens it in a browser.

local attacks = require "spec.support.report_cases".ATTACKS
local changes = require "cekura.report.changes"
local harmless_page = require "spec.support.harmless_page"

local all, texts = harmless_page.all, harmless_page.texts

local function page_of(old, new, summary)
  local page = changes { old = old, new = new, summary = summary }
  local elements = harmless_page.check(page, false)
  harmless_page.check_structure(elements)
  return page, elements
end

-- The changes, each as the two sides without their labels.
local function sides(page)
  local found = {}
  for old, new in page:gmatch('<div class="old"><span class="label soft">Old</span>(.-)</div>'
    .. '<div class="new"><span class="label soft">New</span>(.-)</div>') do
    found[#found + 1] = { old, new }
  end
  return found
end

local function lines(from, to)
  local list = {}
  for number = from, to do
    list[#list + 1] = "Line " .. number .. ".\n"
  end
  return table.concat(list)
end

describe("the page of changes", function()
  it("has the lines that differ side by side, with the words marked", function()
    assert.same({ { "Be <del>brief</del>.\n", "Be <ins>kind</ins>.\n" } },
      sides((page_of("# Role\nBe brief.\nBye.\n", "# Role\nBe kind.\nBye.\n"))))
    assert.same({ { "", "<ins>New.\n</ins>" } }, sides((page_of("a\nb\n", "a\nNew.\nb\n"))))
    assert.same({ { "<del>a\nb\n</del>", "" } }, sides((page_of("a\nb\n", ""))))
    assert.same({ { "a<del>↵\n</del>b\n", "a<ins> </ins>b\n" } }, sides((page_of("a\nb\n", "a b\n"))))
    assert.same({ { "a", "a<ins>↵\n</ins>" } }, sides((page_of("a", "a\n"))))
  end)

  it("has both texts in full", function()
    for _, pair in ipairs { { lines(1, 40), lines(1, 12) .. "Another.\n" .. lines(15, 40) }, { "", "x" },
      { "a b c\nd e\n\nf", "a c\nd\ne\n\n\nf" }, { "same", "same" } } do
      local page = page_of(pair[1], pair[2])
      local old, new = {}, {}
      page = page:gsub('<div class="sides".-</div></div>', ""):gsub('<div class="row">', "")
        :gsub('<div class="change"[^>]*>', "")
      for class, text in page:gmatch "<div ?([^>]*)>(.-)</div>" do
        text = text:gsub('<span class="label soft">.-</span>', ""):gsub("↵", ""):gsub("<[^>]*>", "")
        local side = class:find "old" or class:find "twin"
        table.insert(side and old or new, text)
      end
      assert.equal(pair[1], table.concat(old))
      assert.equal(pair[2], table.concat(new))
    end
  end)

  it("folds what is the same, but for three lines beside a change", function()
    local page, elements = page_of(lines(1, 40), (lines(1, 40):gsub("Line 20", "Row 20")))
    assert.same({ "16 unchanged lines", "17 unchanged lines" }, texts(elements, "summary"))
    local folded = page:match "<details.->.-</details>"
    assert.truthy(folded:find("Line 16.", 1, true))
    assert.falsy(folded:find("Line 17.", 1, true))
    assert.equal(0, #all(select(2, page_of("a\nb\nc\nd\n", "a\nb\nc\nx\n")), "details"))
  end)

  it("begins with a summary, and links to the changes", function()
    local page, elements = page_of(lines(1, 40), (lines(1, 40):gsub("Line 5", "Row five"):gsub("Line 30", "Row 30")),
      "Two <b>lines</b>.")
    assert.truthy(page:find("<p>Two &lt;b&gt;lines&lt;/b&gt;.</p>", 1, true))
    assert.truthy(page:find("2 changes: 3 words <del>removed</del>, 3 <ins>added</ins>.", 1, true))
    assert.same({ "Skip to the changes", "1", "2" }, texts(elements, "a"))
    assert.equal(2, #all(elements, "div", { class = "change" }))
    page = page_of("same\n", "same\n")
    assert.truthy(page:find("The prompts are the same.", 1, true))
    page_of("", "")
  end)

  it("escapes both texts and the summary", function()
    local plain = #select(2, page_of("a x\n", "b x\n", "c"))
    for _, attack in ipairs(attacks) do
      local _, elements = page_of("a x" .. attack .. "\n", "b x" .. attack .. "\n", attack)
      assert.equal(plain, #elements, attack)
      local _, replaced = page_of(attack, "z", attack)
      assert.truthy(#replaced <= plain, attack)
    end
  end)

  it("links to at most 200 changes", function()
    local old, new = {}, {}
    for number = 1, 500 do
      old[number] = ("same\nword %d end\n"):format(number)
      new[number] = ("same\nwort %d end\n"):format(number)
    end
    local page, elements = page_of(table.concat(old), table.concat(new))
    assert.equal(200, #all(elements, "a") - 1)
    assert.truthy(page:find("and 300 more", 1, true))
  end)
end)
