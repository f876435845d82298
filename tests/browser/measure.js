// What a person sees of a figure of plotly: its texts, where they are and in which colour, and what
// lies in their way. Called with the element that plotly drew into; see test_figures_fit.py.
(drawing) => {
  // Lines of text have air above and below the letters.
  const AIR = 0.15, TOUCH = 1;

  const shown = (element) => {
    if (!element.textContent.trim() || !element.getBBox().width) return false;
    for (let it = element; it !== drawing; it = it.parentElement) {
      const style = getComputedStyle(it);
      if (style.visibility === "hidden" || style.display === "none" || +style.opacity < 0.05)
        return false;
    }
    return true;
  };
  // The corners of a text on the screen: turned as it is, for labels may be aslant.
  const corners = (text) => {
    const {x, y, width, height} = text.getBBox(), turn = text.getScreenCTM();
    const top = y + height * AIR, bottom = y + height * (1 - AIR);
    return [[x, top], [x + width, top], [x + width, bottom], [x, bottom]].map(([left, up]) => [
      turn.a * left + turn.c * up + turn.e, turn.b * left + turn.d * up + turn.f,
    ]);
  };
  const box = (element) => {
    const {left, right, top, bottom} = element.getBoundingClientRect();
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  };
  // Two convex shapes are apart if a line along one of their sides is between them.
  const apart = (one, other) => [one, other].some((shape) => shape.some(([x, y], at) => {
    const [beyond, below] = shape[(at + 1) % shape.length];
    const across = [below - y, x - beyond], length = Math.hypot(...across) || 1;
    const along = (all) => all.map((at) => (at[0] * across[0] + at[1] * across[1]) / length);
    const mine = along(one), its = along(other);
    return Math.max(...mine) <= Math.min(...its) + TOUCH
      || Math.max(...its) <= Math.min(...mine) + TOUCH;
  }));
  const all = (selector) => [...drawing.querySelectorAll(selector)];

  const faults = [];
  const edge = drawing.querySelector("svg.main-svg").getBoundingClientRect();
  const page = drawing.parentElement.getBoundingClientRect();
  if (edge.right > page.right + TOUCH) faults.push(`wider than the page: ${edge.width}`);
  const texts = all("svg.main-svg text").filter(shown).map(
    (element) => ({element, said: element.textContent, at: corners(element)})
  );
  for (const {said, at} of texts) {
    const across = at.map((corner) => corner[0]), down = at.map((corner) => corner[1]);
    const over = Math.max(
      edge.left - Math.min(...across), Math.max(...across) - edge.right,
      edge.top - Math.min(...down), Math.max(...down) - edge.bottom,
    );
    if (over > TOUCH) faults.push(`cut by ${Math.round(over)} px: ${said}`);
  }
  texts.forEach((one, many) => texts.slice(0, many).forEach((other) => {
    if (!apart(one.at, other.at)) faults.push(`overlap: ${other.said} | ${one.said}`);
  }));
  const plots = all(".nsewdrag").map(box), legends = all(".legend");
  for (const {element, said, at} of texts.filter(({element}) => element.closest(".g-gtitle"))) {
    if (plots.some((plot) => !apart(at, plot))) faults.push(`title in the plot: ${said}`);
    if (legends.some((legend) => !apart(at, box(legend)))) faults.push(`title in the legend: ${said}`);
  }
  for (const legend of legends) {
    const {right, bottom} = legend.querySelector(".bg").getBoundingClientRect();
    for (const text of legend.querySelectorAll("text")) {
      const its = text.getBoundingClientRect();
      if (its.right > right + 2 || its.bottom > bottom + 4)
        faults.push(`cut by the legend: ${text.textContent}`);
    }
  }

  // Each run of one colour, and where it is.
  const origin = drawing.getBoundingClientRect();
  const runs = texts.flatMap(({element}) => {
    const spans = [...element.querySelectorAll("tspan")].filter(
      (span) => [...span.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
    );
    return (spans.length ? spans : [element]).map((span) => {
      const style = getComputedStyle(span), at = span.getBoundingClientRect();
      let opacity = +style.fillOpacity;
      for (let it = span; it !== drawing; it = it.parentElement)
        opacity *= +getComputedStyle(it).opacity;
      return {
        said: span.textContent, colour: style.fill, opacity,
        left: at.left - origin.left, right: at.right - origin.left,
        top: at.top - origin.top, bottom: at.bottom - origin.top,
      };
    });
  });
  // Each kind of mark: the colours of its inside and its outline, and how much they cover.
  const marks = new Set();
  for (const mark of all(".bars .point path, .scatter .points path, .js-line, .node-rect")) {
    const style = getComputedStyle(mark), {width, height} = mark.getBoundingClientRect();
    let opacity = 1;
    for (let it = mark; it !== drawing; it = it.parentElement)
      opacity *= +getComputedStyle(it).opacity;
    if (width || height) marks.add(JSON.stringify([
      [style.fill, opacity * style.fillOpacity],
      [parseFloat(style.strokeWidth) ? style.stroke : "none", opacity * style.strokeOpacity],
    ]));
  }
  return {faults, runs, marks: [...marks].map(JSON.parse)};
}
