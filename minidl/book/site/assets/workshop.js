// The served book only: code that can be edited and run, and exercises that are checked. The server
// runs the code in a process of its own.
"use strict";

async function send(address, code, output) {
  output.textContent = "Running …";
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
    output.textContent = answer.ok ? (await answer.json()).lines.join("\n") : await answer.text();
  } catch {
    output.textContent = "The server has ended. Start `minidl book --serve` again.";
  }
}

function editor(code, label, action, address) {
  const area = element("textarea", { "aria-label": label, spellcheck: "false", rows: Math.min(32, code.split("\n").length + 1) });
  area.value = code;
  const output = element("pre", { class: "output", role: "status", tabindex: "0", "aria-label": "Output" });
  const button = element("button", { type: "button" }, action);
  button.addEventListener("click", () => send(address, area.value, output));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) button.click();
    else if (event.key === "Tab" && !event.shiftKey && area.dataset.escaped !== "true") {
      event.preventDefault();
      area.setRangeText("    ", area.selectionStart, area.selectionEnd, "end");
    }
    // Escape, then Tab leaves the editor, as in other editors of code
    area.dataset.escaped = String(event.key === "Escape");
  });
  const hint = element("small", {}, "Ctrl+Enter runs it. Escape, then Tab leaves the editor.");
  return element("div", { class: "editor" }, area, element("p", {}, button, " ", hint), output);
}

function offer(place, words, label, action, address) {
  const button = element("button", { type: "button" }, words);
  button.addEventListener("click", () => {
    const made = editor(place.dataset.program, label, action, address);
    button.replaceWith(made);
    made.querySelector("textarea").focus();
  });
  place.append(button);
}

for (const place of document.querySelectorAll(".example")) {
  offer(place, "Edit and run", "Code of the example", "Run", "run");
}
for (const place of document.querySelectorAll(".prove")) {
  offer(place, "Edit the code and prove it", "Code of the op and its proof", "Run", "run");
}
for (const place of document.querySelectorAll(".solve")) {
  const name = place.dataset.exercise;
  place.replaceChildren(editor(place.dataset.program, `Solution of the exercise ${name}`, "Check", `check/${name}`));
}
// a browser does not open files of the disk from a served page
for (const link of document.querySelectorAll('a[href^="file:"]')) link.removeAttribute("href");
