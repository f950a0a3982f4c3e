"""Chapter 3, pretraining: batches, loss, optimizer, schedule and sampling, and a model that knows a text by heart."""

from ..registry import Chapter, Exercise

GIVEN = ("minilm.model",)  # the stub imports it for `tiny_model`

BATCH = Exercise(
    id="3.1",
    title="Batches with shifted targets",
    functions=("last_start", "make_batch"),
    points=2,
    difficulty=1,
    minutes=20,
    tests=6,
    support=GIVEN,
    hints=(
        "Draw a row of 10 tokens and the last window of 4 that still has a target for each input. Which place "
        "does the last target have?",
        "One window is a slice of `tokens`; its targets are the slice one place further on. Cut both from "
        "`tokens`: the last target is not among the inputs.",
        "`torch.stack` makes (B, T) of B slices. Or without a loop: a (B, T) tensor of places, a column of "
        "starts plus a row 0, 1, ..., T - 1, can index `tokens` directly.",
    ),
    misconceptions={
        "no target": "the last input of this window has no target: T inputs need T + 1 tokens.",
        "too early": "one more window would fit. Starts count from 0, and T + 1 tokens are needed.",
        "whole windows": "windows were counted in steps of T. They may begin at any place and may overlap.",
        "starts": "the windows do not begin where `starts` says.",
        "sorted": "the windows were put in another order. Row i belongs to starts[i].",
        "swapped": "inputs and targets are in the wrong order: inputs first.",
        "unshifted": "the targets are the inputs themselves. Such a model learns to copy what it sees: its loss "
        "goes to 0 and it can write nothing.",
        "backwards": "the targets are the tokens before their inputs. The model is to predict what comes next.",
        "twice": "the targets are two places ahead. Was the shift made twice, here and in the inputs?",
        "wraps round": "the last target is the first input, brought round by a roll. It is the next token of the row.",
        "filled": "the last target of each window was filled with a constant. The row goes on behind the window, "
        "so the true token is there.",
        "new numbers": "1 was added to the ids themselves. What moves by one is the place.",
        "transposed": "the shape is (T, B). Each row is one window: (B, T).",
        "one more": "a window of T + 1 tokens was returned. It has to be cut into inputs and targets, T each.",
        "one fewer": "T tokens were cut, and the shift then cost one of them. T inputs and T targets need T + 1.",
        "last only": "each window has one target here. Every one of its T inputs has one: T lessons for one reading.",
        "flat": "the windows were put one behind the other. Keep the dimension B.",
        "end": "the last window reaches up to the last token, which is its last target. Does the cutting stop "
        "too early, or run past the end?",
    },
)

LOSS = Exercise(
    id="3.2",
    title="Cross-entropy from logits",
    functions=("cross_entropy",),
    points=2,
    difficulty=2,
    minutes=25,
    tests=7,
    support=GIVEN,
    hints=(
        "softmax gives p = exp(logit) / Σ exp(logits). Take the logarithm of that on paper first: which part "
        "needs an exp at all, and of what?",
        "exp overflows above 88. Subtracting one number from a whole row of V logits changes no probability: "
        "which number makes the largest exp equal to 1?",
        "`gather(-1, index)` picks one of the V entries for each token; index needs a last dimension of size 1.",
    ),
    misconceptions={
        "sign": "a surprise is positive: p is at most 1, so ln p is negative. Take minus the logarithm.",
        "bits": "this is in bits. Take the natural logarithm.",
        "sum": "the surprises were added up over tokens or windows. The mean is over all B T of them, so that "
        "neither B nor T changes what a loss means.",
        "over V": "the sum was divided by V as well.",
        "all classes": "the other V - 1 entries took part. Only the entry of the target counts; the others are "
        "in it already, through the softmax.",
        "not normalised": "these are the raw logits of the targets. A logit says nothing without the V - 1 others.",
        "probability": "the logarithm is missing: this is made of p itself.",
        "log of the mean": "the probabilities were averaged before the logarithm. Average the surprises.",
        "perplexity": "this is e to the loss, the perplexity.",
        "last token": "only the last token of each window was judged. Every position predicts the one after it.",
        "wrong axis": "the softmax went over B or T. It goes over the V logits of one token: the last dimension.",
        "softmax twice": "softmax was applied to what was a softmax already. Logits go in as they are.",
        "not averaged": "one loss per token (or per window) came back. Asked for is their mean.",
        "overflow": "exp of a large logit is infinite. Make the largest logit of the row 0 first: the "
        "probabilities stay the same.",
        "underflow": "the probability was rounded to 0 (or held above 0 by a small constant) before the "
        "logarithm was taken. Simplify ln(exp(a) / Σ) on paper, so that the logarithm of the exp never has to be "
        "computed.",
        "one maximum": "one maximum was taken for all tokens together. A token with much smaller logits then "
        "underflows: each row needs its own.",
        "detached": "no gradient can flow back from this. The loss stays a tensor, made by torch operations "
        "alone: `.item()`, float() and numpy cut it off.",
    },
)

COUNTS = Exercise(
    id="3.3",
    title="Only what counts",
    functions=("loss_sum", "accumulated_loss"),
    points=2,
    difficulty=2,
    minutes=25,
    tests=9,
    support=GIVEN,
    hints=(
        "`targets != IGNORE` is a (B, T) mask. Indexing with it keeps only the tokens that count: logits become "
        "(n, V).",
        "-100 is no place among V logits, so it must be out of the way before anything is looked up. With none "
        "left, a sum is 0 all by itself; a mean would be 0 / 0.",
        "For the parts: a mean cannot be averaged without knowing over how many tokens it was taken. That is why "
        "`loss_sum` returns two things.",
    ),
    misconceptions={
        "mean": "this is a mean. Asked for is the sum, and the number of tokens beside it.",
        "logits set to 0": "the logits of the marked token were set to 0, which makes all tokens equally likely "
        "and costs ln V. It is the loss that has to become 0.",
        "looked up": "the -100 was used as an index. Take the marked tokens out first (or look up another id "
        "there, and then set that loss to 0).",
        "sign": "the sum is negative. A surprise is minus the logarithm.",
        "counts all": "the tokens that count for nothing (or whole windows) were counted as well.",
        "id 0": "id 0 was taken for a mark. It is a token; only -100 marks.",
        "nothing counts": "over no token at all the sum is 0. Dividing too early gives 0 / 0: divide once, at the end.",
        "not summed": "one loss per token came back. Add them up.",
        "mean of means": "the mean of each part was averaged (or added up). A part with one token then weighs as "
        "much as one with five.",
        "not divided": "the sums were added, but not divided by the number of tokens that count.",
        "by parts": "the sum was divided by the number of parts. Parts are an accident of memory; tokens are "
        "what counts.",
        "detached": "no gradient can flow back from this: keep it a tensor, made by torch operations alone. `.item()`, "
        "`.detach()` and `torch.tensor(...)` cut it off.",
    },
)

ADAMW = Exercise(
    id="3.4",
    title="One AdamW step",
    functions=("adamw_step",),
    points=3,
    difficulty=2,
    minutes=30,
    tests=8,
    support=GIVEN,
    hints=(
        "Take one weight, w = 2 with gradient 0.5, and do step 1 on paper: m, v, both corrected, the step. It "
        "comes out as lr, whatever the betas.",
        "A running average keeps a share beta of the old and adds 1 - beta of the new. Give the corrected values "
        "names of their own, so that m and v stay what they were.",
        "The decay has nothing to do with m and v: it takes its own small share of the old w.",
    ),
    misconceptions={
        "against": "the step went uphill. The gradient points to where the loss grows.",
        "t": "t is not used as described: 1 in the first step, so that 1 - beta¹ is what was missing then, and "
        "one more in each step after it.",
        "no correction": "m and v began at 0, and after one step still are too small: divide both by 1 - betaᵗ.",
        "one correction": "only one of the two averages was corrected. Both began at 0.",
        "correction after the root": "v is corrected before the root is taken, not after it.",
        "no root": "without the root the step is in units of 1 / gradient: large where the gradient is small.",
        "no v": "this is a step along the gradient itself. It has to be divided by the root of the corrected v.",
        "m": "the new m is not betas[0] of the old m plus the rest of the gradient.",
        "v": "the new v is not betas[1] of the old v plus the rest of the squared gradient.",
        "no share": "the new value went in at full weight. An average has shares that add up to 1.",
        "shares swapped": "the shares are the wrong way round: beta is for the old, 1 - beta for the new.",
        "corrected kept": "the corrected values were handed on. The next step would correct them again: return m "
        "and v as they were before it.",
        "decay in the gradient": "the decay was added to the gradient, which is L2 regularisation and what Adam "
        "did before AdamW: divided by the root of v, it hardly acts on weights with large gradients. Keep the "
        "two apart.",
        "betas": "the betas are not those that were passed in (or their places are swapped).",
        "not squared": "v averages the squared gradient.",
        "not kept": "an average must take in both the old value and the new gradient.",
        "eps": "eps did not take part where it should: it is added to the root.",
        "eps inside": "eps was added under the root. It comes after it.",
        "eps too early": "eps was added before v was corrected, so that the correction changes it.",
        "decay": "the weights shrink by lr * weight_decay of themselves.",
        "decay without lr": "the decay was not multiplied by lr: a schedule would then change the step, but not "
        "the decay.",
        "decay forgotten": "the weights did not shrink.",
        "later step": "the first step is right, a later one is not. It is lr times the new m over the root of "
        "the new v, each corrected by its own beta to the power of t.",
        "old averages": "the step was made with the averages from before this gradient was taken in.",
        "decay after the step": "the decay was taken of the new weight. It is a share of what w was before the step.",
    },
)

RATE = Exercise(
    id="3.5",
    title="Warm up, then cool down",
    functions=("learning_rate",),
    points=1,
    difficulty=1,
    minutes=15,
    tests=6,
    support=GIVEN,
    hints=(
        "Two cases: t within the warm-up, and after it. Write down what t = 1, t = warmup and t = steps must "
        "give before you write the formulas.",
        "After the warm-up, which share of the way from step `warmup` to step `steps` is done? It is 0 at one "
        "end and 1 at the other. cos goes from 1 to -1 as that share times π goes from 0 to π: bring that to 1 "
        "to 0, then to peak to floor.",
    ),
    misconceptions={
        "starts at 0": "the first step has rate 0 and is lost. Step 0 would have rate 0; the first step is number 1.",
        "misses the peak": "step `warmup` should have exactly the peak.",
        "from the floor": "the warm-up began at the floor. It is a line from 0.",
        "peak forgotten": "this is right for a peak of 1 only.",
        "no line": "the first steps are as large as later ones. The rate climbs in a line first.",
        "no warm-up": "a warm-up of 0 steps is allowed: the wave begins at once.",
        "only warm-up": "a run may consist of the warm-up only. Which case does its last step belong to, and "
        "what would be divided by 0?",
        "from the start": "the wave was measured from the start of the run. It begins where the warm-up ends.",
        "late": "the wave is a step behind: it has to begin at step `warmup` and to be over at step `steps`.",
        "line": "this is a straight line down. Half a cosine wave is slow at both ends.",
        "wave": "this is another piece of the wave. Half of it is needed: cos from 0 to π, which is 1 to -1, "
        "brought to the range from peak to floor.",
        "floor ignored": "the last step should have the floor, not 0.",
        "floor on top": "the floor was added to a wave of full height, so it begins above the peak. The wave's "
        "height is what lies between floor and peak.",
        "cut off": "the rate was cut off at the floor. The whole wave is flattened to end there.",
        "no wave": "after the warm-up nothing happened.",
    },
)

CLIP = Exercise(
    id="3.6",
    title="Clip by the joint length",
    functions=("clip_gradients",),
    points=1,
    difficulty=1,
    minutes=15,
    tests=6,
    support=GIVEN,
    hints=(
        "First the length: the root of the sum of the squares of all numbers in all tensors. For lengths 3 and 4 "
        "of two tensors it is 5.",
        "One factor for all of them, limit / length, but never above 1. What if the length is 0?",
    ),
    misconceptions={
        "one by one": "each tensor was clipped on its own. That turns the joint gradient: only one factor for "
        "all keeps its direction.",
        "clamped": "single numbers were cut off. That turns the gradient; scaling does not.",
        "sum of lengths": "lengths do not add up like that: take the root of the sum of their squares.",
        "largest": "the largest number (or tensor) was taken for the length of all together.",
        "no root": "this is the sum of the squares. The length is its root.",
        "length 1": "the gradient was scaled to length 1, not to `limit`.",
        "times the limit": "the gradient was multiplied by the limit without dividing by its length.",
        "not clipped": "nothing was clipped.",
        "after": "this is the length after clipping. The length before is what shows that a run gets into trouble.",
        "factor": "this is the factor, not the length.",
        "scales up": "a short gradient was made longer. The limit is an upper one: below it nothing changes.",
        "zero": "gradients of zero have length 0, and limit / 0 is not finite. They stay as they are.",
    },
)

TOP_K = Exercise(
    id="3.7",
    title="Top-k",
    functions=("top_k",),
    points=1,
    difficulty=1,
    minutes=15,
    tests=5,
    support=GIVEN,
    hints=(
        "`torch.topk` gives values and ids of the k largest. The ids are what you need. What does it do when k "
        "is larger than V?",
        "Begin with a new tensor full of -inf and put the logits that stay into their places.",
    ),
    misconceptions={
        "zeros": "a logit of 0 is not a probability of 0: e⁰ = 1. What is out gets -inf, since e to that is 0.",
        "finite": "a large negative number stands where -inf is asked for. Only -inf is no chance at all, and "
        "shows what is out.",
        "smallest": "the unlikeliest tokens were kept.",
        "places": "the logits that stay are not in their own places. The place is the id of the token.",
        "probabilities": "these are probabilities. Asked for are logits: the temperature and the softmax come later.",
        "other way round": "what should stay went out, and what should go stayed.",
        "one fewer": "one token too few. The k-th largest belongs to the k that stay: at least, not more than.",
        "one more": "one token too many. Places count from 0: the k-th largest is in place k - 1.",
        "values only": "only the logits that stay came back. The result has all V places.",
        "ties": "a threshold keeps every token that equals the k-th largest (or, strictly, none of them). Choose "
        "by place, not by value.",
        "large k": "a k larger than the vocabulary keeps everything: take the smaller of the two.",
    },
)

TOP_P = Exercise(
    id="3.8",
    title="Top-p",
    functions=("top_p",),
    points=2,
    difficulty=2,
    minutes=25,
    tests=7,
    support=GIVEN,
    hints=(
        "Sort the probabilities, likeliest first, and add them up with `cumsum`. Write the sums for 0.6, 0.3, "
        "0.1 on paper, with p = 0.7: which tokens should stay?",
        "A token stays when those before it, without itself, do not hold p yet. That keeps the one that crosses "
        "p, and always the first.",
        "`sort` returns the order, too: place i of the sorted row is token order[i]. Carry your choice back to "
        "those ids before you write any -inf.",
    ),
    misconceptions={
        "crossing": "the token that crosses p was dropped, so that less than p is left; when the likeliest token "
        "alone crosses p, nothing is left at all.",
        "one more": "one token too many: the fewest that reach p are enough. Where they hold exactly p, they have "
        "reached it.",
        "smallest first": "the sum began with the unlikeliest tokens. Begin with the likeliest.",
        "unsorted": "the probabilities were added up in the order of their ids. Sort them first.",
        "places": "the choice was made in the sorted row, but applied to the ids as they stand. Place i of the "
        "sorted row is token order[i].",
        "not shares": "the logits were added up. p is a share of the probability: take the softmax first.",
        "one by one": "each token was compared with a threshold of its own. The question is how much the "
        "likeliest hold together.",
        "infinite": "a logit of -inf is allowed: such a token has probability 0 and stays out. inf - inf is NaN, "
        "and a comparison with NaN is never true.",
        "other way round": "what should stay went out, and what should go stayed.",
        "zeros": "a logit of 0 is not a probability of 0: e⁰ = 1. What is out gets -inf, since e to that is 0.",
        "finite": "a large negative number stands where -inf is asked for. Only -inf is no chance at all, and "
        "shows what is out.",
        "probabilities": "these are probabilities. Asked for are logits.",
        "values only": "only the logits that stay came back. The result has all V places.",
        "ties": "tokens as likely as the last one kept stayed (or went) with it. The fewest that reach p are "
        "asked for: choose by place in the sorted row, not by value.",
    },
)

MEMORISE = Exercise(
    id="3.9",
    title="Milestone: a paragraph by heart",
    functions=("memorise",),
    uses=("3.1", "3.2", "3.4", "3.5", "3.6"),
    points=2,
    difficulty=3,
    minutes=40,
    tests=4,
    support=GIVEN,
    hints=(
        "Write the loop for one step first: batch, loss, gradients, clip, rate. `torch.autograd.grad(loss, "
        "parameters)` gives one gradient per parameter and leaves nothing behind; with `loss.backward()` you "
        "have to clear `.grad` yourself.",
        "Keep m and v in lists, one entry per parameter, made before the loop. What `adamw_step` returns is not "
        "yet in the model: `w.copy_(...)` under `torch.no_grad()` writes it there.",
        "If the loss is right in step 1 and wrong in step 2, the update is wrong; if it is wrong in step 1, the "
        "batch or the loss is. The worked example is small enough to print everything.",
    ),
    misconceptions={
        "unshifted": "the model was trained to give back what it reads. Its loss looks wonderful, and it cannot "
        "write: the target is the next token.",
        "same windows": "every step read the same windows. Step t has its own row of `starts`.",
        "piled up": "the gradients of earlier steps were still in `.grad`, and backward() adds to them. Clear "
        "them before each step.",
        "not clipped": "the gradients were not clipped, or what `clip_gradients` returned was not used.",
        "full rate": "the learning rate did not follow the schedule.",
        "rate behind": "the schedule is a step behind: the first step is number 1.",
        "t stands still": "t is 1 in every step, so that m and v are enlarged as if they had just begun. It is "
        "the number of the step.",
        "new moments": "m and v began anew in each step. They are what AdamW remembers: hand on what it returned.",
        "not updated": "the model did not change. A new tensor in a Python variable is not in the model: write "
        "it into the parameter.",
        "some left out": "not every parameter was updated. Go through all of `model.parameters()`.",
        "not learned": "on a small table every step was right, but the paragraph was not learned. Does a number "
        "of the small case stand in the code (a context, a size, a number of steps)?",
    },
    seconds=30.0,
)

CHAPTER = Chapter(
    3,
    "Pretraining",
    (BATCH, LOSS, COUNTS, ADAMW, RATE, CLIP, TOP_K, TOP_P, MEMORISE),
    imports=("torch",),
)
