// Appended to the produced app.js: does what a person does, and leaves what it saw in the title.
const wait = async (check) => { for (let i = 0; i < 200; i++) { const v = check(); if (v) return v; await new Promise((r) => setTimeout(r, 20)); } throw new Error("timeout " + check); };
const titles = () => [...document.querySelectorAll(".card .name")].map((e) => e.textContent);
async function drive() {
  const log = [];
  try {
    await wait(() => titles().length === 2);
    $("add").click();
    $("field-title").value = ""; $("form").requestSubmit();
    await wait(() => !$("problem-title").hidden); log.push("problem:" + $("problem-title").textContent + "|" + $("form-error").textContent + "|focus " + document.activeElement.id);
    $("field-title").value = "<b>New</b>"; $("field-list_id").value = "2"; $("field-done").checked = true; $("field-due").value = "2026-01-02";
    $("form").requestSubmit();
    await wait(() => titles().length === 3); log.push("created:" + titles().join(",") + " status " + $("status").textContent);
    [...document.querySelectorAll(".card")].at(-1).querySelector("button").click();
    log.push("editing:" + $("editor-title").textContent + " " + $("field-title").value + " " + $("field-list_id").value + " " + $("field-due").value + " " + $("field-done").checked);
    $("field-title").value = "Renamed"; $("form").requestSubmit();
    await wait(() => titles().includes("Renamed")); log.push("edited:" + titles().join(","));
    document.querySelector(".card input").click();
    await wait(() => document.querySelector(".card.is-on .name")); await wait(() => $("content").getAttribute("aria-busy") === "false"); log.push("toggled");
    $("filters").querySelector("select").value = "true"; $("filters").querySelector("select").dispatchEvent(new Event("change"));
    await wait(() => titles().length === 2); log.push("filtered:" + titles().join(","));
    [...document.querySelectorAll(".card")].at(-1).querySelectorAll("button")[1].click();
    log.push("confirm:" + $("confirm-text").textContent); $("confirm").querySelector("button.danger").click();
    await wait(() => titles().length === 1); log.push("deleted:" + titles().join(","));
    location.hash = "lists"; await wait(() => titles()[0]?.startsWith("Groceries")); log.push("lists:" + titles().join(","));
    $("add").click(); log.push("color " + $("field-color").type + $("field-color").value); $("field-name").value = "Work"; $("form").requestSubmit();
    await wait(() => titles().length === 3); log.push("ok");
  } catch (e) { log.push("FAILED " + e.message + " " + document.getElementById("notice").textContent + $("form-error").textContent); }
  document.title = log.join(" ## ");
}
drive();
