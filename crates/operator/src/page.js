"use strict";
// Every row says in its data what a filter can ask for: the row stays if it says so for all of them, or says nothing of it.
const form = document.querySelector("form.filters");
const rows = [...document.querySelectorAll("[data-row]")];
const groups = [...document.querySelectorAll("[data-group]")];
function filter() {
  const asked = [...new FormData(form)].filter(([, value]) => value !== "");
  const matches = (row, [name, value]) =>
    name === "text" ? row.textContent.toLowerCase().includes(value.toLowerCase())
      : row.dataset[name] === undefined || row.dataset[name].split(" ").includes(value);
  for (const row of rows) row.hidden = !asked.every((one) => matches(row, one));
  for (const group of groups) {
    const inside = rows.filter((row) => group.contains(row));
    const other = asked.some((one) => one[0] !== "text" && !matches(group, one));
    group.hidden = other || (asked.length > 0 && inside.length > 0 && inside.every((row) => row.hidden));
  }
}
if (form) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
