"use strict";
const figures = JSON.parse(document.getElementById("ck_figures").textContent);
const plots = Array.from(document.querySelectorAll(".ck-plot"));
// Figures leave room for their texts on a page of so many pixels; on a narrower one they are scaled.
const least = 380;

// Paper has another width than the screen, and a printer waits for nothing that is drawn anew: the
// style sheet scales each drawing as a whole, for which it must know its size.
function fit(plot) {
  for (const holder of plot.querySelectorAll(".svg-container")) {
    for (const drawing of holder.querySelectorAll(".main-svg")) {
      const [width, height] = ["width", "height"].map((name) => drawing.getAttribute(name));
      drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
      holder.style.setProperty("--ck-width", `${width}px`);
      holder.style.setProperty("--ck-ratio", `${width} / ${height}`);
    }
  }
}

// The caption above has the title, as text that wraps; the drawing needs no room for it.
function withoutTitle(layout) {
  const title = layout.title ?? {};
  const lines = (text) => (text ? text.split("<br>").length : 0);
  const room = 20 * lines(title.text) + 17 * lines(title.subtitle?.text) + 16;
  if (!title.text || !layout.height) return layout;
  const margin = { ...layout.margin, t: (layout.margin?.t ?? room) - room };
  const height = layout.height - room;
  const legend = { ...layout.legend };
  // It lies below the title, at a part of the height.
  if (legend.yref === "container") legend.y = 1 - ((1 - legend.y) * layout.height - room) / height;
  return { ...layout, title: { text: "" }, height, margin, legend };
}

// Plotly knows where the mouse is on an element that is transformed, not within a scaled drawing.
function scale(plot) {
  const room = plot.parentElement.clientWidth;
  const narrow = room > 0 && room < least;
  plot.style.width = narrow ? `${least}px` : "";
  plot.style.transform = narrow ? `scale(${room / least})` : "";
  return narrow ? room / least : null;
}

function keep(plot, scaled) {
  plot.parentElement.style.height = scaled ? `${plot.offsetHeight * scaled}px` : "";
  fit(plot);
}

async function draw(plot) {
  const figure = figures[plot.dataset.figure];
  let scaled = scale(plot);
  await Plotly.newPlot(plot, figure.data, withoutTitle(figure.layout), { displayModeBar: false });
  plot.on("plotly_afterplot", () => keep(plot, scaled));
  keep(plot, scaled);
  let room = plot.parentElement.clientWidth;
  new ResizeObserver(() => {
    if (plot.parentElement.clientWidth === room) return;
    room = plot.parentElement.clientWidth;
    scaled = scale(plot);
    if (room > 0) Plotly.Plots.resize(plot);
  }).observe(plot.parentElement);
}
Promise.all(plots.map(draw)).then(() => document.documentElement.classList.add("ck-drawn"));

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
    document.getElementById("ck_told").textContent = `${told} the call.`;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
