// TopK. The arithmetic first: exported, and compared with torch.

/** The place of the right class among the scores, 1 for the highest; of equal scores the earlier class comes first. */
export const rankOf = (scores, answer) => 1 + scores.filter((v, c) => v > scores[answer] || (v === scores[answer] && c < answer)).length;

/** The share of images whose right class is not among the k highest. */
export const topError = (scores, answers, k) => scores.filter((line, i) => rankOf(line, answers[i]) > k).length / scores.length;

export const torchLines = (scores, answers, k) => ["import torch", "",
  `scores = torch.tensor([${scores.map(pyList).join(`,\n${" ".repeat(23)}`)}]).float()`,
  `answers = torch.tensor(${pyList(answers)})`,
  `best = scores.topk(${k}, dim=1).indices`,
  "hit = (best == answers[:, None]).any(dim=1)",
  "error = 1 - hit.float().mean()"].join("\n");

export default demo({
  name: "top_k",
  state: ["k", "scores"],
  valid: (s) => within(s.k, 1, 5) && shaped(s.scores, 5, 8),

  render(ui) {
    const scores = () => ui.get("scores"), answers = () => ui.get("answers"), k = () => ui.get("k");
    const names = t("classes").split(",");
    const rank = (i) => rankOf(scores()[i], answers()[i]);
    const hit = (i) => rank(i) <= k();
    const error = ui.derive(() => topError(scores(), answers(), k()));
    const say = () => t("error", { k: k(), wrong: scores().filter((_, i) => !hit(i)).length, n: scores().length, error: num(100 * error(), 0) });
    const inTop = (i, c) => rankOf(scores()[i], c) <= k();
    const table = grid(ui, {
      tone: "input", label: () => t("grid"), size: () => [5, 8],
      cell: (i, c) => ({ text: short(scores()[i][c]), marks: `${inTop(i, c) ? "done" : "faint"} ${c === answers()[i] ? "answer" : ""}` }),
      describe: (i, c) => t(c === answers()[i] ? "answerCell" : "cell", { i: i + 1, name: names[c], value: scores()[i][c], rank: rankOf(scores()[i], c) }),
      edit: (i, c, value) => ui.set({ scores: scores().map((line, a) => line.map((v, b) => (a === i && b === c ? value : v))) }),
    });
    const verdict = grid(ui, {
      tone: "output", label: () => t("verdictGrid"), size: () => [5, 1],
      cell: (i) => ({ text: hit(i) ? "○" : "×", marks: hit(i) ? "done" : "missed" }),
      describe: (i) => t(hit(i) ? "hit" : "missed", { i: i + 1, name: names[answers()[i]], rank: rank(i), k: k() }),
    });
    const heads = h("div", { class: "cnn-heads", "aria-hidden": "true" }, names.map((name) => h("span", {}, name)));

    return [
      row(slider(ui, { key: "k", label: t("k"), min: 1, max: 5, say })),
      h("div", { class: "cnn-table" }, block(ui, t("scores"), heads, table), block(ui, t("verdict"), h("div", { class: "cnn-heads", "aria-hidden": "true" }, h("span", {}, "\u00a0")), verdict)),
      text(ui, () => t("legend"), "cnn-note"),
      sentence(ui, say),
      code(ui, () => torchLines(scores(), answers(), k())),
    ];
  },
});
