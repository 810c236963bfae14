local glob = require("lib.glob")

test("a star stays within one part of a name", function()
  expect(glob.matches("acme/*", "acme/shop")).equals(true)
  expect(glob.matches("acme/*", "acme/shop/x")).equals(false)
  expect(glob.matches("acme/*", "acme-two/shop")).equals(false)
  expect(glob.matches("*-service", "cart-service")).equals(true)
end)

test("two stars cross slashes", function()
  expect(glob.matches("release/**", "release/2/hotfix")).equals(true)
  expect(glob.matches("**", "")).equals(true)
end)

test("a question mark is one character", function()
  expect(glob.matches("shop-?", "shop-a")).equals(true)
  expect(glob.matches("shop-?", "shop-ab")).equals(false)
  expect(glob.matches("shop-?", "shop-")).equals(false)
end)

test("case does not matter", function()
  expect(glob.matches("ACME/Shop", "acme/sHOP")).equals(true)
end)

test("what is special to Lua is plain here", function()
  expect(glob.matches("a.b-c+[d]%", "a.b-c+[d]%")).equals(true)
  expect(glob.matches("a.b", "axb")).equals(false)
end)

test("the first pattern that fits is named", function()
  expect(glob.first({ "acme/shop", "acme/*" }, "acme/web")).equals("acme/*")
  expect(glob.first({ "acme/*" }, "other/web")).equals(nil)
  expect(glob.first({}, "acme/web")).equals(nil)
end)
