// FreezeBoundary. The arithmetic first: exported, and compared with real frozen networks for thousands of random widths.

/** Weights of each stage (a 3×3 convolution without bias, scale and shift of its batch norm) and, last, of the head. */
export const weightsOf = (widths, classes) => [...widths.map((w, i) => 9 * (i ? widths[i - 1] : 3) * w + 2 * w), (widths.at(-1) + 1) * classes];

/** How many weights learn when the first `frozen` stages are frozen. */
export const learning = (parts, frozen) => parts.slice(frozen).reduce((s, n) => s + n, 0);

export const mean = (values) => values.reduce((s, v) => s + v, 0) / values.length;

/** Standard deviation of a sample. */
export function deviation(values) {
  const m = mean(values);
  return Math.sqrt(values.reduce((s, v) => s + (v - m) ** 2, 0) / (values.length - 1));
}

/** What a difference says: "more" or "less" where the bars of one standard deviation lie apart, else "same". */
export function verdict(ours, theirs) {
  const gap = mean(ours) - mean(theirs), room = deviation(ours) + deviation(theirs);
  return gap > room ? "more" : -gap > room ? "less" : "same";
}

/** The accuracies of one cell. */
export const runs = (cells, source, frozen, examples) => cells.find((c) => c.source === source && c.frozen === frozen && c.examples === examples).accuracies;

/** The PyTorch lines that freeze the first stages, count what learns and keep the frozen batch norms as they are. */
export function freezeLines(frozen, total) {
  const names = Array.from({ length: frozen }, (_, i) => `net.stage${i + 1}`);
  const stages = names.length === 1 ? `${names[0]},` : names.join(", ");
  return [
    ...(frozen ? [`for stage in (${stages}):`, "    stage.requires_grad_(False)", "    stage.eval()  # batch norm: after each net.train()"] : ["net.requires_grad_(True)"]),
    "", `learning = sum(p.numel() for p in net.parameters() if p.requires_grad)  # ${total}`,
  ].join("\n");
}

const AMOUNTS = [10, 50, 250, 1000];
const SOURCES = ["classes", "digits"];
const LOW = 20, HIGH = 100; // percent: guessing among four gives 25

export default demo({
  name: "freeze_boundary",
  state: ["frozen", "examples", "source"],
  valid: (s) => within(s.frozen, 0, 4) && AMOUNTS.includes(s.examples) && SOURCES.includes(s.source),

  render(ui) {
    const frozen = () => ui.get("frozen"), amount = () => ui.get("examples"), source = () => ui.get("source");
    const parts = ui.derive(() => weightsOf(ui.get("widths"), ui.get("classes")));
    const last = () => parts().length - 1;
    const total = () => learning(parts(), 0);
    const boundary = (f) => (f === 0 ? t("allLearn") : f === last() ? t("allFrozen") : t("upTo", { n: f }));
    const part = (i) => (i === last() ? t("head") : t("stage", { n: i + 1 }));
    const percent = (v) => num(100 * v, 1);
    const shown = (values) => t("accuracy", { mean: percent(mean(values)), deviation: percent(deviation(values)) });
    const of = (f, n = amount()) => runs(ui.get("cells"), source(), f, n);
    const scratch = (n = amount()) => runs(ui.get("cells"), "scratch", 0, n);

    const saySize = () => t(frozen() === 0 ? "learnAll" : "learnSome", { boundary: boundary(frozen()), learning: learning(parts(), frozen()), total: total(), percent: num((100 * learning(parts(), frozen())) / total(), 1) });
    const sayAccuracy = () => t(verdict(of(frozen()), scratch()), { ours: percent(mean(of(frozen()))), scratch: percent(mean(scratch())), gap: percent(Math.abs(mean(of(frozen())) - mean(scratch()))), n: amount() });
    const say = () => `${saySize()} ${sayAccuracy()}`;

    // the network: what is frozen has a dashed edge and says so
    const network = h("ol", { class: "cnn-net", "aria-label": t("network") });
    ui.watch(() => network.replaceChildren(...parts().map((n, i) => h("li", { class: i < frozen() ? "held" : "" },
      h("strong", {}, part(i)), h("span", {}, num(n)), h("span", { class: "cnn-state" }, t(i < frozen() ? "held" : i === last() ? "fresh" : "learns"))))));
    const sum = text(ui, () => [math.show(...parts().slice(frozen()).flatMap((n, i) => [...(i ? ["+"] : []), math.tone("kernel", n)])), frozen() < last() ? [" ", math.show("=", learning(parts(), frozen()))] : ""]);

    // accuracies: a dot for each seed, the mean, and a bar of one standard deviation to each side
    const place = (v) => `${Math.min(100, Math.max(0, (100 * (100 * v - LOW)) / (HIGH - LOW)))}%`;
    const line = ({ label, values, role, now, spoken }) => h("li", { class: now ? "now" : "", "aria-label": spoken },
      h("span", { class: "cnn-who" }, label),
      h("span", { class: "cnn-scale", "aria-hidden": "true", style: `--role:var(--${role})` },
        h("i", { class: "cnn-error", style: `left:${place(mean(values) - deviation(values))};right:calc(100% - ${place(mean(values) + deviation(values))})` }),
        values.map((v) => h("i", { class: "cnn-seed", style: `left:${place(v)}` })),
        h("i", { class: "cnn-mean", style: `left:${place(mean(values))}` })),
      h("span", { class: "cnn-value" }, shown(values)));
    const list = (label, lines) => {
      const box = h("ul", { class: "cnn-dots", "aria-label": label });
      ui.watch(() => box.replaceChildren(...lines().map((l) => line({ ...l, spoken: `${l.label}: ${shown(l.values)}` }))));
      return box;
    };
    const byBoundary = list(t("byBoundary"), () => [{ label: t("scratch"), values: scratch(), role: "padding" },
      ...parts().map((_, f) => ({ label: boundary(f), values: of(f), role: f === frozen() ? "output" : "input", now: f === frozen() }))]);
    const byAmount = list(t("byAmount"), () => AMOUNTS.flatMap((n) => [
      { label: t("scratchAt", { n }), values: scratch(n), role: "padding" },
      { label: t("nowAt", { n }), values: of(frozen(), n), role: n === amount() ? "output" : "input", now: n === amount() }]));

    return [
      row(slider(ui, { key: "frozen", label: t("frozen"), min: 0, max: 4, say }), slider(ui, { key: "examples", label: t("examples"), values: AMOUNTS, say })),
      choice(ui, { label: t("source"), options: SOURCES.map((s) => [s, t(s)]), value: source, choose: (s) => { ui.set({ source: s }); ui.say(say()); } }),
      block(ui, t("network"), network, sum),
      row(block(ui, () => t("titleBoundary", { n: amount() }), byBoundary), block(ui, () => t("titleAmount", { boundary: boundary(frozen()) }), byAmount)),
      text(ui, () => t("key"), "cnn-note"),
      sentence(ui, say),
      code(ui, () => freezeLines(frozen(), learning(parts(), frozen()))),
    ];
  },
});
