"use strict";
// What the report does when it is touched. Without this script everything is there, as on paper; nothing is fetched.
(() => {
  const root = document.documentElement;
  const all = (where, what) => [...where.querySelectorAll(what)];
  root.dataset.script = "";

  // Theme: the reader's own, until a button says otherwise.
  const theme = document.querySelector(".theme");
  theme.addEventListener("click", () => {
    const dark = getComputedStyle(root).colorScheme === "dark";
    root.dataset.theme = dark ? "light" : "dark";
  });

  // What a mark says: its title, which would otherwise be shown twice.
  const tip = document.createElement("div");
  tip.id = "tip"; tip.hidden = true; tip.setAttribute("role", "status");
  document.body.append(tip);
  const said = new WeakMap();
  const words = mark => {
    const title = mark.querySelector(":scope > title");
    if (title) { said.set(mark, title.textContent); title.remove(); }
    return said.get(mark) || "";
  };
  let now = null;
  const quiet = () => { tip.hidden = true; if (now) now.classList.remove("now"); now = null; };
  const tell = (mark, x, y) => {
    if (now) now.classList.remove("now");
    now = mark; now.classList.add("now");
    tip.textContent = words(mark); tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 12, innerWidth - box.width - 4)) + "px";
    tip.style.top = (y + 16 + box.height > innerHeight ? y - box.height - 12 : y + 16) + "px";
  };
  addEventListener("pointermove", event => {
    if (event.buttons) return;
    const mark = event.target.closest && event.target.closest(".m");
    if (mark) tell(mark, event.clientX, event.clientY); else if (now && !event.target.closest(".panel:focus")) quiet();
  });
  addEventListener("scroll", quiet, { passive: true });
  addEventListener("keydown", event => { if (event.key === "Escape") quiet(); });

  // A panel that has the focus tells its marks one after the other.
  const last = new WeakMap(); // the mark at which a panel's reader is
  const step = (panel, by) => {
    const marks = all(panel, ".m").filter(mark => !mark.closest(".gone"));
    if (!marks.length) return;
    const from = marks.indexOf(last.get(panel));
    const next = marks[((from < 0 && by < 0 ? 0 : from) + by + marks.length) % marks.length];
    last.set(panel, next);
    const box = next.getBoundingClientRect();
    tell(next, box.left + box.width / 2, box.top + box.height / 2);
  };
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, n: 1, p: -1 };
  addEventListener("focusout", quiet);

  // Three dimensions: points are turned, and what hangs on them follows.
  const turned = new Map();
  const scene = panel => {
    const turn = panel.querySelector(".turn");
    if (!turn) return null;
    if (!turned.has(turn)) {
      const [x, y, unit, yaw, pitch] = turn.dataset.view.split(",").map(Number);
      const points = turn.dataset.points.split(";").map(point => point.split(",").map(Number));
      const hung = all(turn, "[data-v]").map(part => [part, part.dataset.v.split(" ").map(Number), part.tagName === "path" && part.getAttribute("d").endsWith("Z")]);
      turned.set(turn, { x, y, unit, yaw, pitch, points, hung });
    }
    return turned.get(turn);
  };
  const draw = view => {
    const [c, s, d, t] = [Math.cos(view.yaw), Math.sin(view.yaw), Math.cos(view.pitch), Math.sin(view.pitch)];
    const flat = view.points.map(([x, y, z]) =>
      [(view.x + view.unit * (x * c - y * s)).toFixed(1), (view.y - view.unit * (z * d + (x * s + y * c) * t)).toFixed(1)].join(" "));
    for (const [part, corners, closed] of view.hung) {
      if (part.tagName === "path") part.setAttribute("d", "M" + corners.map(i => flat[i]).join("L") + (closed ? "Z" : ""));
      else part.setAttribute("transform", `translate(${flat[corners[0]]})`);
    }
  };
  // All structures that are shown turn together: they are there to be compared.
  const turn = (panel, yaw, pitch) => {
    for (const other of all(panel.closest("figure"), ".panel:not(.off):not(.gone)")) {
      const view = scene(other);
      if (!view) continue;
      view.yaw += yaw;
      view.pitch = Math.max(-1.5, Math.min(1.5, view.pitch + pitch));
      draw(view);
    }
  };
  const keys = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
  for (const panel of all(document, ".panel")) {
    const turns = panel.closest("figure").hasAttribute("data-turns");
    panel.addEventListener("keydown", event => {
      if (turns && keys[event.key]) turn(panel, ...keys[event.key]);
      else if (steps[event.key]) step(panel, steps[event.key]);
      else return;
      event.preventDefault();
    });
    if (!turns) continue;
    panel.addEventListener("pointerdown", event => { panel.setPointerCapture(event.pointerId); quiet(); });
    panel.addEventListener("pointermove", event => {
      if (event.buttons & 1) turn(panel, event.movementX * 0.01, event.movementY * 0.008);
    });
  }

  // Choosing one of several panels, and hiding what belongs to a condition, a scale and the like.
  const has = (element, group, wanted) => (element.dataset[group] || "").split("|").some(value => wanted.has(value));
  const update = figure => {
    const picks = all(figure, "[data-pick]").map(pick => [pick.dataset.pick, new Set(pick.value.split("|"))]);
    for (const panel of all(figure, ".panel"))
      panel.classList.toggle("off", picks.some(([group, wanted]) => group in panel.dataset && !has(panel, group, wanted)));
    const hidden = {};
    for (const button of all(figure, "[data-hide][aria-pressed=false]"))
      (hidden[button.dataset.hide] ||= new Set()).add(button.value);
    for (const group of new Set(all(figure, "[data-hide]").map(button => button.dataset.hide)))
      for (const part of all(figure, `.panel[data-${group}], .panel [data-${group}]`)) {
        const gone = Object.entries(hidden).some(([name, values]) => name in part.dataset && has(part, name, values));
        part.classList.toggle("gone", gone);
      }
    quiet();
  };
  for (const figure of all(document, "figure.drawn")) {
    for (const pick of all(figure, "[data-pick]")) pick.addEventListener("change", () => update(figure));
    for (const button of all(figure, "[data-hide]")) button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
      update(figure);
    });
  }

  // Tables: a click on a head sorts, as numbers where the column holds numbers.
  const value = cell => {
    const text = cell.textContent.trim().replace(/−/g, "-").replace(/,/g, "");
    const found = text.match(/-?\d+(\.\d+)?(e[-+]?\d+)?/i);
    return found ? Number(found[0]) * (text.startsWith("<") ? 0.999 : 1) : null;
  };
  for (const table of all(document, "table")) {
    const heads = all(table, "thead th");
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button"; button.append(...head.childNodes); head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const numbers = head.classList.contains("n");
        const rows = all(table.tBodies[0], "tr").map(row => [row, numbers ? value(row.cells[column]) : row.cells[column].textContent.trim()]);
        rows.sort(([, a], [, b]) => {
          if (a === null || b === null) return (a === null) - (b === null);
          return (down ? -1 : 1) * (numbers ? a - b : a.localeCompare(b, "en", { numeric: true }));
        });
        table.tBodies[0].append(...rows.map(([row]) => row));
      });
    });
  }

  // Saving what is shown.
  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    root.dataset.saved = name + " " + text.length;
  };
  const held = where => where.querySelector("script").textContent.replaceAll("\\u003c", "<");
  const quoted = text => /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  const sheet = table => all(table, "tr").map(row => [...row.cells].map(cell => quoted(cell.textContent.trim())).join(",")).join("\n") + "\n";
  const drawing = figure => {
    const image = figure.querySelector("img");
    if (image) return new TextDecoder().decode(Uint8Array.from(atob(image.src.split(",")[1]), c => c.charCodeAt(0)));
    const style = getComputedStyle(root);
    const colours = ["ink", "muted", "line", "paper", "band", ...Array.from({ length: 8 }, (_, i) => "c" + i)];
    const frame = figure.querySelector(".panels").getBoundingClientRect();
    const panels = all(figure, ".panel:not(.off):not(.gone)").map(panel => {
      const copy = panel.cloneNode(true), box = panel.getBoundingClientRect();
      copy.setAttribute("x", (box.left - frame.left).toFixed(1)); copy.setAttribute("y", (box.top - frame.top).toFixed(1));
      all(copy, ".gone").forEach(part => part.remove());
      return new XMLSerializer().serializeToString(copy);
    });
    const vars = colours.map(name => `--${name}:${style.getPropertyValue("--" + name).trim()}`).join(";");
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${frame.width.toFixed(0)}" height="${frame.height.toFixed(0)}">` +
      `<style>:root{${vars}}${document.getElementById("figures").textContent}</style><rect width="100%" height="100%" fill="${style.getPropertyValue("--paper").trim()}"/>${panels.join("")}</svg>`;
  };
  for (const button of all(document, "[data-save]")) button.addEventListener("click", () => {
    const figure = button.closest("figure"), csv = button.dataset.save === "csv";
    if (button.dataset.save === "md") save("methods.md", "text/markdown", held(button.closest("section")));
    else if (!figure) {
      const section = button.closest("section"), tables = all(section, ".tabled");
      const own = button.closest(".tabled");
      save(`${section.id}-${tables.indexOf(own) + 1}.csv`, "text/csv", sheet(own.querySelector("table")));
    } else if (csv) save(figure.dataset.name + ".csv", "text/csv", held(figure));
    else save(figure.dataset.name + ".svg", "image/svg+xml", drawing(figure));
  });
  addEventListener("beforeprint", () => { for (const part of all(document, "details.printed")) part.open = true; });
})();
