// ConvolutionExplorer. The arithmetic first: exported, and compared with torch for thousands of random settings.

/** Length of the output of one axis, as torch computes it; below 1 there is none. */
export function outSize(n, k, { stride = 1, padding = 0, dilation = 1 } = {}) {
  return Math.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;
}

/** The nine (k·k) pairs under the window that makes output (i, j): { r, c, x, w, product }, r and c in the padded input. */
export function windowTerms(x, w, i, j, { stride = 1, padding = 0, dilation = 1 } = {}) {
  return w.flatMap((line, a) => line.map((weight, b) => {
    const r = i * stride + a * dilation, c = j * stride + b * dilation;
    const value = x[r - padding]?.[c - padding] ?? 0;
    return { r, c, x: value, w: weight, product: value * weight };
  }));
}

/** The outputs (i, j) that use input cell (r, c), as a list; r and c without padding. */
export function usedBy(r, c, k, rows, cols, { stride = 1, padding = 0, dilation = 1 } = {}) {
  const along = (at, size) => Array.from({ length: size }, (_, i) => i).filter((i) => {
    const tap = (at + padding - i * stride) / dilation;
    return within(tap, 0, k - 1);
  });
  return along(r, rows).flatMap((i) => along(c, cols).map((j) => [i, j]));
}

/** torch.nn.functional.conv2d for one channel: x (H, W), w (K, L) -> (H_out, W_out); [] where the window does not fit. */
export function conv2d(x, w, options = {}) {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const H = x.length, W = x[0].length, K = w.length, L = w[0].length;
  const rows = outSize(H, K, options), cols = outSize(W, L, options);
  if (rows < 1 || cols < 1) return [];
  const y = [];
  for (let i = 0; i < rows; i++) {
    const line = new Array(cols);
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let a = 0; a < K; a++) {
        const source = x[i * stride - padding + a * dilation];
        if (source) for (let b = 0; b < L; b++) sum += (source[j * stride - padding + b * dilation] ?? 0) * w[a][b];
      }
      line[j] = sum;
    }
    y.push(line);
  }
  return y;
}

const NINTH = 1 / 9;
export const PRESETS = {
  identity: [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
  blur: [[NINTH, NINTH, NINTH], [NINTH, NINTH, NINTH], [NINTH, NINTH, NINTH]],
  sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  sobelX: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  sobelY: [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
};

export default demo({
  name: "convolution_explorer",
  state: ["input", "kernel", "stride", "padding", "dilation", "step", "view"],
  valid: (s) => s.kernel.length === 3 && s.kernel.every((r) => r.length === 3) && s.input.length >= 3 && s.input.length <= 8
    && s.input[0].length >= 3 && s.input[0].length <= 8 && s.input.every((r) => r.length === s.input[0].length)
    && [1, 2, 3].includes(s.stride) && [0, 1, 2].includes(s.padding) && [1, 2, 3].includes(s.dilation)
    && Number.isInteger(s.step) && s.step >= 0 && ["numbers", "photo"].includes(s.view),

  render(ui) {
    const options = () => ({ stride: ui.get("stride"), padding: ui.get("padding"), dilation: ui.get("dilation") });
    const photo = toRows(bytes(ui.get("photo")), 96);
    const onPhoto = () => ui.get("view") === "photo";
    const x = () => (onPhoto() ? photo : ui.get("input"));
    const y = ui.derive(() => conv2d(x(), ui.get("kernel"), options()));
    const range = ui.derive(() => greyRange(y()));

    // Where we are: a step along the table of numbers, the output cell someone points at, or a pixel of the photograph.
    let pixel = [40, 37], pointed = null, pointedInput = null, stepThen = null;
    const steps = () => y().length * (y()[0]?.length ?? 0);
    const at = ui.derive(() => {
      if (!steps()) return null;
      const [rows, cols] = [y().length, y()[0].length];
      if (onPhoto()) return [Math.min(pixel[0], rows - 1), Math.min(pixel[1], cols - 1)];
      if (stepThen !== ui.get("step")) { stepThen = ui.get("step"); pointed = null; }
      if (pointed && pointed[0] < rows && pointed[1] < cols) return pointed;
      const s = position(ui, "step", rows * cols);
      return [Math.floor(s / cols), s % cols];
    });
    const terms = ui.derive(() => (at() ? windowTerms(x(), ui.get("kernel"), ...at(), options()) : []));
    const inWindow = ui.derive(() => new Set(terms().map(({ r, c }) => `${r},${c}`)));
    const frame = () => at() && { row: at()[0] * ui.get("stride"), col: at()[1] * ui.get("stride"), rows: 2 * ui.get("dilation") + 1, cols: 2 * ui.get("dilation") + 1 };
    const used = ui.derive(() => (pointedInput && steps() ? usedBy(...pointedInput, 3, y().length, y()[0].length, options()) : []));
    const marks = (r, c) => (inWindow().has(`${r},${c}`) ? "window" : "");

    const cellName = (kind, r, c, value) => t("cell", { kind: t(kind), r: r + 1, c: c + 1, value });
    const saySize = () => (steps() ? t("outputGrid", { h: y().length, w: y()[0].length }) : t("none"));
    const sayWindow = () => (at() ? t("windowSentence", { r: at()[0] + 1, c: at()[1] + 1, value: y()[at()[0]][at()[1]] }) : t("none"));
    const replace = (key) => (r, c, value) => ui.set({ [key]: ui.get(key).map((line, i) => line.map((v, j) => (i === r && j === c ? value : v))) });

    // ---- numbers
    const input = grid(ui, {
      tone: "input",
      label: () => t("inputGrid", { h: ui.get("input").length, w: ui.get("input")[0].length }) + (ui.get("padding") ? " " + t("padded", { p: ui.get("padding") }) : ""),
      size: () => [ui.get("input").length, ui.get("input")[0].length],
      pad: () => ui.get("padding"), padMarks: (r, c) => (onPhoto() ? "" : marks(r, c)),
      cell: (r, c) => ({ text: short(ui.get("input")[r][c]), marks: onPhoto() ? "" : marks(r + ui.get("padding"), c + ui.get("padding")) }),
      describe: (r, c) => {
        const hit = terms().find((q) => q.r === r + ui.get("padding") && q.c === c + ui.get("padding"));
        const n = steps() ? usedBy(r, c, 3, y().length, y()[0].length, options()).length : 0;
        return [cellName("input", r, c, ui.get("input")[r][c]), hit && t("meets", { w: hit.w, product: hit.product }), t(n ? "usedBy" : "usedByNone", { n })].filter(Boolean).join(" ");
      },
      edit: replace("input"), frame,
      point: (r, c) => { pointedInput = r === null ? null : [r, c]; },
    });
    const kernel = grid(ui, {
      tone: "kernel", label: () => t("kernelGrid"), size: () => [3, 3],
      cell: (r, c) => short(ui.get("kernel")[r][c]),
      describe: (r, c) => cellName("kernel", r, c, ui.get("kernel")[r][c]),
      edit: replace("kernel"),
    });
    const output = grid(ui, {
      tone: "output",
      label: () => t("outputGrid", { h: y().length, w: y()[0].length }),
      size: () => (onPhoto() ? [0, 0] : [y().length, y()[0]?.length ?? 0]),
      cell: (r, c) => {
        const s = r * y()[0].length + c, now = at()[0] * y()[0].length + at()[1];
        const reached = used().some(([i, j]) => i === r && j === c) ? " used" : "";
        return { text: short(y()[r][c]), marks: (s === now ? "current" : s < now && !pointed ? "done" : "") + reached };
      },
      describe: (r, c) => cellName("output", r, c, y()[r][c]),
      choose: (r, c) => ui.set({ step: r * y()[0].length + c }),
      point: (r, c) => { pointed = r === null ? null : [r, c]; },
    });
    const none = showIf(ui, () => !steps(), text(ui, () => t("none")));

    // ---- photograph: one canvas in, one out, and a pixel to look at
    const source = h("canvas", { role: "img", "aria-label": t("photoIn") });
    const target = h("canvas", { role: "img", "aria-label": t("photoOut") });
    const windowOf = (canvas, tone) => h("div", { class: `cnn-photo cnn-tone-${tone}` }, canvas, h("span", { class: "cnn-spot", "aria-hidden": "true" }));
    const inBox = windowOf(source, "kernel"), outBox = windowOf(target, "output");
    outBox.tabIndex = 0;
    setAttr(outBox, "role", "group");
    ui.watch(() => setAttr(outBox, "aria-label", `${t("photoKeys")} ${sayWindow()}`));
    const look = (r, c) => { pixel = [Math.max(0, Math.min(y().length - 1, r)), Math.max(0, Math.min(y()[0].length - 1, c))]; ui.refresh(); };
    const lookAt = (e) => {
      const box = target.getBoundingClientRect();
      if (steps()) look(Math.floor((e.clientY - box.top) / box.height * y().length), Math.floor((e.clientX - box.left) / box.width * y()[0].length));
    };
    target.addEventListener("pointermove", lookAt);
    target.addEventListener("pointerdown", lookAt);
    outBox.addEventListener("keydown", (e) => {
      const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
      if (!by || !at()) return;
      e.preventDefault();
      const far = e.shiftKey ? 8 : 1;
      look(at()[0] + far * by[0], at()[1] + far * by[1]);
      ui.say(sayWindow());
    });
    paintGrey(source, photo);
    ui.watch(() => {
      if (!onPhoto() || !at()) return;
      paintGrey(target, y(), ...range());
      const spot = (box, row, col, span, size) => {
        for (const [k, v] of Object.entries({ row, col, span, rows: size[0], columns: size[1] })) box.style.setProperty(`--${k}`, v);
      };
      const { stride, padding, dilation } = options();
      spot(inBox, at()[0] * stride - padding, at()[1] * stride - padding, 2 * dilation + 1, [96, 96]);
      spot(outBox, ...at(), 1, [y().length, y()[0].length]);
      outBox.style.setProperty("--scale", y().length / 96);
    });

    // ---- the window's products and their sum
    const products = grid(ui, {
      label: () => t("products"), size: () => (terms().length ? [3, 3] : [0, 0]),
      cell: (r, c) => { const q = terms()[3 * r + c]; return { text: `${num(q.x)} × ${num(q.w)}`, nodes: () => [h("span", {}, tinted("input", num(q.x)), " × ", tinted("kernel", num(q.w)))] }; },
      describe: (r, c) => { const q = terms()[3 * r + c]; return t("product", { x: q.x, w: q.w, product: q.product }); },
    });
    products.classList.add("cnn-products");
    const sum = showIf(ui, at, text(ui, () => {
      if (!at()) return "";
      const list = terms().map((q, i) => (i && q.product >= 0 ? " + " : i ? " − " : q.product < 0 ? "−" : "") + num(Math.abs(q.product)));
      return [list.join(""), " = ", h("strong", { class: "cnn-total" }, num(y()[at()[0]][at()[1]]))];
    }, "cnn-sum"));

    // ---- words, formula, code
    const sizeLine = (n) => {
      const { stride, padding, dilation } = options();
      return math.show(
        math.floor(math.frac(math.row(math.tone("input", n), "+", 2, "×", padding, "−", dilation, "×", "(", math.tone("kernel", 3), "−", 1, ")", "−", 1), stride)),
        "+", 1, "=", math.tone("output", outSize(n, 3, options())));
    };
    const formula = text(ui, () => {
      const H = x().length, W = x()[0].length;
      return H === W ? [t("sizeIs"), " ", sizeLine(H)] : [t("heightIs"), " ", sizeLine(H), " · ", t("widthIs"), " ", sizeLine(W)];
    }, "cnn-size");
    const torchCode = () => torchLines(ui.get("view"), ui.get("input"), ui.get("kernel"), options());

    const formed = equation(
      block(ui, t("input"), showIf(ui, () => !onPhoto(), input), showIf(ui, onPhoto, inBox)),
      ["∗", block(ui, t("kernel"), kernel)],
      ["=", block(ui, t("output"), output, showIf(ui, () => onPhoto() && steps(), outBox), none)]);
    // One size of cell for all three grids, so that they fit in one line where there is room.
    ui.watch(() => formed.style.setProperty("--all", onPhoto() ? 12 : ui.get("input")[0].length + 2 * ui.get("padding") + 3 + (y()[0]?.length ?? 3)));

    const presetOf = () => Object.keys(PRESETS).find((k) => sameJson(PRESETS[k], ui.get("kernel"))) ?? null;
    return [
      row(
        choice(ui, { label: t("view"), options: [["numbers", t("viewNumbers")], ["photo", t("viewPhoto")]], value: () => ui.get("view"), choose: (view) => ui.set({ view }) }),
        choice(ui, { label: t("preset"), options: Object.keys(PRESETS).map((k) => [k, t(k)]), value: presetOf, choose: (k) => ui.set({ kernel: PRESETS[k] }) })),
      h("div", { class: "cnn-sliders" },
        slider(ui, { key: "stride", label: t("stride"), min: 1, max: 3, say: saySize }),
        slider(ui, { key: "padding", label: t("padding"), min: 0, max: 2, say: saySize }),
        slider(ui, { key: "dilation", label: t("dilation"), min: 1, max: 3, say: saySize })),
      formed,
      showIf(ui, () => onPhoto() && steps() && range()[0] < 0, text(ui, () => t("signed"), "cnn-note")),
      showIf(ui, () => !onPhoto(), stepper(ui, { count: steps, say: sayWindow })),
      showIf(ui, at, h("div", { class: "cnn-row cnn-arithmetic" }, block(ui, t("products"), products), h("div", { class: "cnn-block" }, sum, sentence(ui, sayWindow)))),
      formula,
      code(ui, torchCode),
    ];
  },
});

/** The PyTorch lines that compute the present output. */
export function torchLines(view, input, kernel, { stride, padding, dilation }) {
  const tensor = (rows) => `torch.tensor([${rows.map(pyList).join(`,\n${" ".repeat(18)}`)}]).float()[None, None]`;
  const x = view === "photo"
    ? ["from cnnbook.demos import photo", "", "x = torch.tensor(photo()).float()[None, None]"]
    : ["", `x = ${tensor(input)}`];
  return ["import torch", "import torch.nn.functional as F", ...x, `w = ${tensor(kernel)}`,
    `y = F.conv2d(x, w, stride=${stride}, padding=${padding}, dilation=${dilation})`].join("\n");
}
