"use strict";
const figures = JSON.parse(document.getElementById("ck-figures").textContent);
const plots = Array.from(document.querySelectorAll(".ck-plot"));
const options = { displayModeBar: false, responsive: true };

function draw(plot) {
  const figure = figures[plot.dataset.figure];
  return Plotly.newPlot(plot, figure.data, figure.layout, options);
}
Promise.all(plots.map(draw)).then(() => document.documentElement.classList.add("ck-drawn"));

// Paper has another width than the screen, and a printer waits for nothing that is drawn anew: the
// drawing as a whole is made to fit.
window.addEventListener("beforeprint", () => {
  for (const drawing of document.querySelectorAll(".ck-plot .main-svg")) {
    const { width, height } = drawing.getAttribute("width")
      ? { width: drawing.getAttribute("width"), height: drawing.getAttribute("height") }
      : drawing.getBoundingClientRect();
    drawing.setAttribute("viewBox", `0 0 ${parseFloat(width)} ${parseFloat(height)}`);
  }
});
window.addEventListener("afterprint", () => {
  for (const drawing of document.querySelectorAll(".ck-plot .main-svg")) {
    drawing.removeAttribute("viewBox");
  }
});

async function copied(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page opened from a disk may not write to the clipboard: the code is selected instead.
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}
for (const button of document.querySelectorAll(".ck-call button")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    const told = (await copied(code.textContent, code)) ? "Copied" : "Selected";
    button.textContent = told;
    document.getElementById("ck-told").textContent = `${told} the call.`;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
