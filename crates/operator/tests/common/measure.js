// Runs beside the frame that holds the page, and writes down what the browser made of it.
document.getElementById("frame").addEventListener("load", (event) => {
  const inside = event.target.contentWindow;
  const page = inside.document;
  const all = [...page.querySelectorAll("*")];
  const count = (names) => names.reduce((sum, name) => ({ ...sum, [name]: (sum[name] || 0) + 1 }), {});
  const attributes = all.flatMap((one) => [...one.attributes].map((a) => ({ name: a.name, value: a.value })));
  const leads = ["src", "href", "xlink:href", "srcset", "action", "formaction", "data", "poster", "background", "ping"];
  const width = page.documentElement.clientWidth;
  // What is cut off or scrolls inside its own box is no overflow of the page.
  const wide = all.filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest("svg"));
  const measured = {
    title: page.title,
    elements: count(all.map((one) => one.localName)),
    handlers: attributes.filter((a) => a.name.startsWith("on")).map((a) => a.name),
    styles: attributes.filter((a) => a.name === "style").length,
    leads: [...new Set(attributes.filter((a) => leads.includes(a.name)).map((a) => a.value))],
    requests: inside.performance.getEntriesByType("resource").map((one) => one.name),
    owned: inside.owned === undefined ? null : String(inside.owned),
    width,
    scrolls: page.documentElement.scrollWidth,
    wide: wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 200)),
    text: page.body.innerText.length,
    rows: page.querySelectorAll("tr[data-row]").length,
    filters: page.querySelector("form.filters")?.hidden === false,
    tiles: Object.fromEntries([...page.querySelectorAll(".tiles div")].map((one) => [one.children[0].textContent, one.children[1].textContent])),
  };
  const out = document.createElement("pre");
  out.id = "measured";
  out.textContent = JSON.stringify(measured);
  document.body.append(out);
});
