// TransposedMatrix. The arithmetic first: exported, and compared with torch for thousands of random values.

/** Which kernel cell [u, v] stands in row `out`, column `at` of C for an n×n image and a k×k kernel; null for a zero. */
export function kernelCell(out, at, n, k) {
  const m = n - k + 1;
  const u = Math.floor(at / n) - Math.floor(out / m), v = (at % n) - (out % m);
  return u >= 0 && u < k && v >= 0 && v < k ? [u, v] : null;
}

/** C: one row for each output cell, one column for each input cell; y = C x. */
export function convMatrix(w, n) {
  const k = w.length, m = n - k + 1;
  return Array.from({ length: m * m }, (_, out) => Array.from({ length: n * n }, (_, at) => {
    const cell = kernelCell(out, at, n, k);
    return cell ? w[cell[0]][cell[1]] : 0;
  }));
}

export const flip = (matrix) => matrix[0].map((_, c) => matrix.map((line) => line[c]));
export const times = (matrix, vector) => matrix.map((line) => line.reduce((sum, v, i) => sum + v * vector[i], 0));
export const product = (a, b) => a.map((line) => flip(b).map((column) => line.reduce((sum, v, i) => sum + v * column[i], 0)));

/** Where the lecture's print has a kernel cell: its four columns begin at rows 0, 1, 2, 3 instead of 0, 1, 4, 5. */
export const printedCell = (at, out) => (at >= out ? kernelCell(0, at - out, 4, 3) : null);
export const printedMatrix = (w) => Array.from({ length: 16 }, (_, at) => Array.from({ length: 4 }, (_, out) => {
  const cell = printedCell(at, out);
  return cell ? w[cell[0]][cell[1]] : 0;
}));

const N = 4, K = 3, M = 2;
const MODES = ["forward", "transpose", "printed", "back"];
const square = (rows, size) => Array.isArray(rows) && rows.length === size && rows.every((r) => r.length === size);

export default demo({
  name: "transposed_matrix",
  state: ["x", "y", "kernel", "mode", "symbols", "step"],
  valid: (s) => square(s.x, N) && square(s.y, M) && square(s.kernel, K) && MODES.includes(s.mode) && Number.isInteger(s.step) && s.step >= 0,

  render(ui) {
    const mode = () => ui.get("mode"), is = (...names) => () => names.includes(mode());
    const C = ui.derive(() => convMatrix(ui.get("kernel"), N));
    const matrix = ui.derive(() => (mode() === "forward" ? C() : mode() === "back" ? product(flip(C()), C()) : flip(C())));
    const printed = ui.derive(() => printedMatrix(ui.get("kernel")));
    const fed = () => ui.get(mode() === "forward" || mode() === "back" ? "x" : "y").flat();
    const result = ui.derive(() => times(matrix(), fed()));
    const between = ui.derive(() => times(C(), ui.get("x").flat())); // y on the way there and back
    const printedResult = ui.derive(() => times(printed(), ui.get("y").flat()));

    // The row in focus: someone points at it, else the stepper holds it. The column: only where someone points.
    let spot = null, column = null;
    const rowAt = () => spot ?? position(ui, "step", matrix().length);
    const look = (r, c) => { spot = r ?? null; column = c ?? null; };
    const cellOf = (r, c) => (mode() === "back" ? null : mode() === "forward" ? kernelCell(r, c, N, K) : kernelCell(c, r, N, K));
    const isThere = (r, c) => (mode() === "back" ? matrix()[r][c] !== 0 : cellOf(r, c) !== null);
    const letters = () => ({ forward: ["y", "x"], back: ["x′", "x"] }[mode()] ?? ["x′", "y"]);
    const nameOut = (r) => letters()[0] + r, nameIn = (c) => letters()[1] + c;
    const name = () => ({ forward: "C", back: "CᵀC" }[mode()] ?? "Cᵀ");
    const replace = (key) => (r, c, value) => ui.set({ [key]: ui.get(key).map((line, i) => line.map((v, j) => (i === r && j === c ? value : v))) });
    const signs = (list) => list.map(([a, b]) => `${num(a)}×${num(b)}`).join(" + ");
    const saySum = (r = rowAt()) => {
      const list = matrix()[r].map((v, c) => [v, fed()[c], c]).filter(([, , c]) => isThere(r, c));
      return t("rowSum", { out: nameOut(r), name: name(), r: r + 1, sum: signs(list) || "0", value: result()[r] });
    };

    // ---- matrices
    const shownCell = (cell, value, marks) => {
      const there = cell || mode() === "back";
      const all = `${cell || (mode() === "back" && value) ? "there" : "faint"} ${marks}`;
      if (!cell || !ui.get("symbols") || !there) return { text: short(value), marks: all };
      const [u, v] = cell;
      return { text: `w${u}${v}`, marks: all, nodes: () => [h("span", {}, h("span", { class: "letter" }, "w"), h("sub", {}, `${u}${v}`))] };
    };
    const marksAt = (r, c) => [r === rowAt() && isThere(r, c) ? "window" : "", r === rowAt() && c === column ? "current" : "", c === column && spot === null && isThere(r, c) ? "used" : "", mode() === "back" && r === c ? "diagonal" : ""].join(" ");
    const sayCell = (r, c) => {
      const value = matrix()[r][c], at = { name: name(), r: r + 1, c: c + 1, value, out: nameOut(r), in: nameIn(c) };
      if (mode() === "back") return t(r === c ? "backSame" : value ? "backOther" : "backNone", at);
      const cell = cellOf(r, c);
      if (!cell) return t(mode() === "forward" ? "zeroForward" : "zeroTranspose", at);
      return t(mode() === "forward" ? "cellForward" : "cellTranspose", { ...at, w: `w${cell.join("")}` });
    };
    const grids = {
      label: () => t("matrixGrid", { name: name(), h: matrix().length, w: matrix()[0].length }),
      size: () => [matrix().length, matrix()[0].length],
      cell: (r, c) => shownCell(cellOf(r, c), matrix()[r][c], marksAt(r, c)),
      describe: sayCell, choose: (r) => ui.set({ step: r }), point: look,
    };
    const shown = grid(ui, { ...grids, tone: "kernel" });
    const wrongAt = (r, c) => String(printedCell(r, c)) !== String(kernelCell(c, r, N, K));
    const theirs = grid(ui, {
      tone: "kernel", label: () => t("printedGrid"), size: () => (mode() === "printed" ? [16, 4] : [0, 0]),
      cell: (r, c) => shownCell(printedCell(r, c), printed()[r][c], `${wrongAt(r, c) ? "astray" : ""} ${r === rowAt() ? "window" : ""}`),
      describe: (r, c) => {
        const word = (cell) => (cell ? `w${cell.join("")}` : "0");
        return t(wrongAt(r, c) ? "astray" : "agrees", { r: r + 1, c: c + 1, printed: word(printedCell(r, c)), right: word(kernelCell(c, r, N, K)) });
      },
      choose: (r) => ui.set({ step: r }), point: (r) => look(r),
    });

    // ---- images
    const source = (key, size, on) => grid(ui, {
      tone: "input", label: () => t("edited", { name: key, n: size }), size: () => (on() ? [size, size] : [0, 0]),
      cell: (r, c) => ({ text: short(ui.get(key)[r][c]), marks: `${isThere(rowAt(), r * size + c) ? "window" : ""} ${r * size + c === column ? "used" : ""}` }),
      describe: (r, c) => t("inCell", { in: nameIn(r * size + c), value: ui.get(key)[r][c], n: matrix().filter((_, out) => isThere(out, r * size + c)).length }),
      edit: replace(key), point: (r, c) => look(null, r === null ? null : r * size + c),
    });
    const target = (label, values, size, on, wrong = () => false) => grid(ui, {
      tone: "output", label, size: () => (on() ? [size, size] : [0, 0]),
      cell: (r, c) => { const at = r * size + c; return { text: short(values()[at]), marks: `${at === rowAt() ? "current" : column !== null && spot === null && isThere(at, column) ? "used" : ""} ${wrong(at) ? "astray" : ""}` }; },
      describe: (r, c) => (wrong(r * size + c) ? t("wrongCell", { out: nameOut(r * size + c), value: values()[r * size + c], right: result()[r * size + c] }) : saySum(r * size + c)),
      choose: (r, c) => ui.set({ step: r * size + c }), point: (r, c) => look(r === null ? null : r * size + c),
    });
    const wideX = source("x", N, is("forward", "back")), smallY = source("y", M, is("transpose", "printed"));
    const outY = target(() => t("outGrid", { name: "y", n: M }), result, M, is("forward"));
    const outX = target(() => t("outGrid", { name: "x′", n: N }), result, N, is("transpose", "printed", "back"));
    const outPrinted = target(() => t("printedOut"), printedResult, N, is("printed"), (at) => printedResult()[at] !== result()[at]);
    const middle = grid(ui, {
      tone: "output", label: () => t("outGrid", { name: "y", n: M }), size: () => (mode() === "back" ? [M, M] : [0, 0]),
      cell: (r, c) => short(between()[r * M + c]), describe: (r, c) => t("middleCell", { name: `y${r * M + c}`, value: between()[r * M + c] }),
    });
    const kernel = grid(ui, {
      tone: "kernel", label: () => t("edited", { name: "w", n: K }), size: () => [K, K], cell: (r, c) => short(ui.get("kernel")[r][c]),
      describe: (r, c) => t("kernelCell", { name: `w${r}${c}`, value: ui.get("kernel")[r][c] }), edit: replace("kernel"),
    });

    const turn = () => { look(); ui.set({ mode: mode() === "forward" ? "transpose" : "forward", step: 0 }); ui.say(t("turned", { name: name() })); };
    const lines = h("div", { class: "cnn-matrices" },
      block(ui, () => t("matrixTitle", { name: name() }), shown), showIf(ui, is("printed"), block(ui, t("printedTitle"), theirs)),
      h("div", { class: "cnn-images" },
        block(ui, () => t("inTitle", { name: letters()[1] }), wideX, smallY),
        block(ui, t("kernelTitle"), kernel),
        showIf(ui, is("back"), block(ui, t("middleTitle"), middle)),
        block(ui, () => t(mode() === "printed" ? "rightTitle" : "outTitle", { name: letters()[0] }), outY, outX),
        showIf(ui, is("printed"), block(ui, t("printedOutTitle"), outPrinted))));
    ui.watch(() => setAttr(lines, "data-mode", mode()));
    const all = h("div", { class: "cnn-all" },
      row(
        choice(ui, { label: t("modes"), options: MODES.map((m) => [m, t({ forward: "modeForward", transpose: "modeTranspose", printed: "modePrinted", back: "modeBack" }[m])]), value: mode, choose: (m) => { look(); ui.set({ mode: m, step: 0 }); } }),
        h("div", { class: "cnn-block cnn-turn" }, showIf(ui, is("forward", "transpose"), button(t("turn"), turn)), showIf(ui, is("forward", "transpose", "printed"), toggle(ui, { key: "symbols", label: t("symbols") })))),
      lines,
      stepper(ui, { count: () => matrix().length, say: () => saySum() }),
      text(ui, () => saySum(), "cnn-sum"),
      sentence(ui, () => t({ forward: "aboutForward", transpose: "aboutTranspose", printed: "aboutPrinted", back: "aboutBack" }[mode()])),
      code(ui, () => torchLines(mode(), ui.get("x"), ui.get("y"), ui.get("kernel"))));
    all.addEventListener("keydown", (e) => {
      if (e.key.toLowerCase() !== "t" || e.ctrlKey || e.metaKey || e.altKey || e.target.type === "text" || !is("forward", "transpose")()) return;
      e.preventDefault();
      turn();
    });
    return all;
  },
});

/** The PyTorch lines that compute the present result: `result` by the matrix, `same` by torch's own operator. */
export function torchLines(mode, x, y, kernel) {
  const tensor = (rows) => `torch.tensor([${rows.map(pyList).join(`,\n${" ".repeat(18)}`)}]).float()`;
  const named = mode === "forward" || mode === "back" ? `x = ${tensor(x)}` : `y = ${tensor(y)}`;
  return ["import torch", "import torch.nn.functional as F", "", named, `w = ${tensor(kernel)}`,
    "pixels = torch.eye(16).reshape(16, 1, 4, 4)", "C = F.conv2d(pixels, w[None, None]).reshape(16, 4).T",
    ...{
      forward: ["result = C @ x.flatten()", "same = F.conv2d(x[None, None], w[None, None]).flatten()"],
      transpose: ["result = C.T @ y.flatten()", "same = F.conv_transpose2d(y[None, None], w[None, None]).flatten()"],
      printed: ["result = C.T @ y.flatten()", "printed = torch.stack([C[0].roll(s) for s in range(4)], dim=1)", "wrong = printed @ y.flatten()"],
      back: ["result = C.T @ (C @ x.flatten())", "y = F.conv2d(x[None, None], w[None, None])", "same = F.conv_transpose2d(y, w[None, None]).flatten()"],
    }[mode]].join("\n");
}
