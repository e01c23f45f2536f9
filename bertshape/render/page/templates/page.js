"use strict";
// A block of its own: a notebook runs this once for each result.
{
  // A notebook that shows results in frames of their own: as high as the result, and in the colours of the notebook.
  const framed = host => {
    let frame = null;
    try { frame = window.frameElement; } catch { /* of another origin */ }
    const alone = [...document.body.children].every(one => one === host || /^(STYLE|SCRIPT)$/.test(one.tagName));
    if (!frame || !alone) return;
    const { classList, dataset } = frame.ownerDocument.body;
    for (const scheme of ["light", "dark"])
      if (classList.contains(scheme) || dataset.theme === scheme) host.style.colorScheme = scheme;
    document.body.style.margin = "0";
    new ResizeObserver(() => { frame.style.height = `${Math.ceil(host.offsetHeight) + 4}px`; }).observe(host);
  };
  for (const root of document.querySelectorAll(".bertshape:not([data-live])")) {
    root.dataset.live = "";
    const host = root.closest(".bertshape-host");
    if (host) {
      framed(host);
      host.attachShadow({ mode: "open" }).append(...host.childNodes);
    }
    const marks = [...root.querySelectorAll("[data-i]")];
    const stage = root.querySelector(".shown");
    const declared = stage && stage.innerHTML;
    const tip = root.querySelector(".tip");
    let lit = null, pinned = null;

    const weights = row => row.dataset.reads.split(";").map(text => text.split(" ").flatMap(run => {
      const [weight, count] = run.split("*").map(Number);
      return Array(count).fill(weight);
    }));
    const mean = (text, first, last) => {
      let sum = 0;
      for (let i = first; i <= last; i++) sum += text[i];
      return sum / (last - first + 1);
    };
    const light = row => {
      if (row === lit) return;
      if (lit) lit.classList.remove("on");
      lit = row;
      root.classList.toggle("lit", Boolean(row));
      if (stage) {
        stage.classList.toggle("swapped", Boolean(row) && !row.classList.contains("declared"));
        if (row) stage.replaceChildren(row.querySelector("template").content.cloneNode(true));
        else stage.innerHTML = declared;
      }
      if (!row) return;
      row.classList.add("on");
      const texts = weights(row);
      for (const mark of marks) {
        const first = Number(mark.dataset.i);
        mark.style.setProperty("--w", mean(texts[mark.dataset.t], first, Number(mark.dataset.j ?? first)).toFixed(3));
      }
    };
    const show = chip => {
      tip.textContent = chip.getAttribute("aria-label");
      tip.hidden = false;
      const at = chip.getBoundingClientRect(), own = tip.getBoundingClientRect();
      const left = Math.min(Math.max(at.left + at.width / 2 - own.width / 2, 6), document.documentElement.clientWidth - own.width - 6);
      const above = at.top - own.height - 8;
      tip.style.left = `${left}px`;
      tip.style.top = `${above > 0 ? above : at.bottom + 8}px`;
    };
    const rowOf = target => target.closest("tr[data-reads]");
    const look = event => {
      const chip = event.target.closest(".t"), row = rowOf(event.target);
      if (chip) show(chip); else tip.hidden = true;
      light(row || pinned);
    };
    root.addEventListener("mouseover", look);
    root.addEventListener("focusin", look);
    for (const name of ["mouseleave", "focusout"]) root.addEventListener(name, () => { tip.hidden = true; light(pinned); });

    root.addEventListener("keydown", event => {
      if (event.key === "Escape") { tip.hidden = true; pinned = null; light(null); }
      const chip = event.target.closest(".t");
      if (!chip) return;
      const chips = [...chip.closest(".rows").querySelectorAll(".t")].filter(one => one.checkVisibility());
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -chips.length, End: chips.length }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = chips[Math.min(Math.max(chips.indexOf(chip) + step, 0), chips.length - 1)];
      chip.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });

    const copy = async (button, code) => {
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        const details = code.closest("details");
        if (details) details.open = true;
        getSelection().selectAllChildren(code);
        if (!document.execCommand("copy")) return;
      }
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    };
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
    root.addEventListener("click", event => {
      const button = event.target.closest("[data-copy]"), row = rowOf(event.target);
      if (button) copy(button, root.querySelector(`#${button.dataset.copy}`));
      else if (row) { pinned = pinned === row ? null : row; light(pinned || row); }
    });
  }
}
