"""A run that stops half way and goes on is the uninterrupted one bit for bit: for every optimizer and tuner, full-batch
and in mini-batches, with sharpness measured; and on one to four ranks in any order. --count: pairs of optimizer and tuner
(drawn by --seed); the same share of the 24 orders of ranks, at least one."""
import itertools

from survive import check_same, check_trajectory, main, require

STEPS = 12
OPTIMIZERS = ({"kind": "gd"}, {"kind": "momentum"}, {"kind": "momentum", "nesterov": True}, {"kind": "rmsprop", "decay": 0.9},
              {"kind": "adam"})
TUNERS = ({"kind": "constant", "learning_rate": 0.01},
          {"kind": "schedule", "peak": 0.02, "warmup": 3, "horizon": STEPS},
          {"kind": "linesearch"},
          {"kind": "cdat", "sigma": 1.0},
          {"kind": "cdat", "sigma": 1.0, "ema": 0.9, "every": 4},
          {"kind": "cdat", "sigma": 1.0, "curvature": "gauss_newton"},
          {"kind": "cdat", "sigma": 1.0, "curvature": "parabolic"},
          {"kind": "polyak", "maximum": 0.1},
          {"kind": "hypergradient", "initial": 0.01},
          {"kind": "sharpness", "sigma": 1.0},
          {"kind": "sharpness", "sigma": 1.0, "operator": "preconditioned_hessian"})
BATCHES = ({"size": "full"}, {"size": 24})
MEASURE = {"sharpness": {"every": 2, "operators": ["hessian", "preconditioned_hessian"], "count": 2},
           "evaluation": {"every": 3}, "gain": {"every": 4}}
OUTPUT = {"publish": 60.0, "checkpoint": {"every": 100, "keep": 2}}  # number 0 and that of every end


def halves(job, number, optimizer, tuner, batch):
    reduction = job.random.choice(("fast", "reproducible"))
    deck = job.deck(f"pair{number}", run={"steps": STEPS, "reduction": reduction}, optimizer=optimizer, tuner=tuner,
                    batch=batch, measure=MEASURE, output=OUTPUT)
    whole, resumed = f"whole{number}", f"resumed{number}"
    job.train(deck, whole)
    job.train(deck, resumed, f"run.steps={STEPS // 2}")
    job.train(deck, resumed)
    try:
        check_same(job.folder / whole, job.folder / resumed)
    except AssertionError as failure:
        raise AssertionError(f"{optimizer}, {tuner}, {batch}, {reduction}: {failure}") from None


def orders(job, count):
    """Chains of four starts on four numbers of ranks, and with another micro-batch at each."""
    deck = job.deck("orders", run={"steps": STEPS}, measure=MEASURE, output=OUTPUT)
    job.train(deck, "orders")
    for number, order in enumerate(job.random.sample(list(itertools.permutations((1, 2, 3, 4))), count)):
        directory = f"order{number}"
        for part, ranks in enumerate(order, 1):
            micro_batch = job.random.choice((8, 16, 24))
            job.train(deck, directory, f"run.steps={part * STEPS // 4}", f"run.micro_batch={micro_batch}", ranks=ranks)
        try:
            check_same(job.folder / "orders", job.folder / directory)
        except AssertionError as failure:
            raise AssertionError(f"ranks {order}: {failure}") from None


def test(job):
    pairs = list(itertools.product(OPTIMIZERS, TUNERS, BATCHES))
    job.random.shuffle(pairs)
    pairs = pairs[:job.count]
    for number, pair in enumerate(pairs):
        halves(job, number, *pair)
        require(check_trajectory(job.folder / f"resumed{number}/trajectory.h5") == STEPS, "a step is missing")
    everything = len(OPTIMIZERS) * len(TUNERS) * len(BATCHES)
    chains = max(1, 24 * len(pairs) // everything)
    orders(job, chains)
    return f"""{STEPS} steps are {STEPS // 2} steps, a restart and {STEPS // 2} more, bit for bit in every column but
the clocks and in the last checkpoint: for {len(pairs)} of the {everything} combinations of optimizer
({len(OPTIMIZERS)}), tuner ({len(TUNERS)}) and batch (full, mini), with the sharpness of two operators, accuracy and
gain measured on the way. {chains} of the 24 orders of 1, 2, 3 and 4 ranks, a restart between each and the next, with
random micro-batches, gave the bits of an uninterrupted run on one rank."""


if __name__ == "__main__":
    main("Resume", 6, test, __doc__)
