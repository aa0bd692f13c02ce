"""A batch sampler for PyTorch on top of omnibal.wasm, run by wasmtime.

    sampler = GroupBatchSampler("omnibal.wasm", vit, tokens, max_vit=9, max_tokens=4096, rank=rank, world_size=world)
    loader = torch.utils.data.DataLoader(dataset, batch_sampler=sampler, collate_fn=pack)

A batch is one group: at most max_vit tiles and max_tokens tokens. Needs numpy and wasmtime, and no torch.
"""

import warnings

import numpy as np
from wasmtime import Engine, Linker, Module, Store, WasiConfig


class Omnibal:
    """The module's exports, as assembly/index.ts documents them."""

    def __init__(self, wasm):
        engine = Engine()
        self._store, linker = Store(engine), Linker(engine)
        self._store.set_wasi(WasiConfig())  # for the module's command part; the library part never calls it
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, Module.from_file(engine, str(wasm))).exports(self._store)

    def call(self, name, *args):
        """Calls an export. A u32 goes in as the i32 of the same bits, a float as it is."""
        bits = (x if isinstance(x, float) else (x & 0xFFFFFFFF ^ 1 << 31) - (1 << 31) for x in args)
        return self._exports[name](self._store, *bits)

    def put(self, values, dtype="<u4"):
        """Copies numbers into the module, whole ones of 32 bits or others, and returns where they are."""
        values = np.asarray(values, dtype)
        at = self.call("alloc", values.nbytes) & 0xFFFFFFFF
        if at == 0:
            raise MemoryError(f"{values.nbytes} bytes do not fit into the module's memory")
        self._exports["memory"].write(self._store, values.tobytes(), at)
        return at

    def get(self, at, count):
        """Copies int32[count] out."""
        at, count = at & 0xFFFFFFFF, int(count)
        return np.frombuffer(self._exports["memory"].read(self._store, at, at + 4 * count), "<i4")

    def pack(self, vit, tokens, max_vit, max_tokens, min_vit=None, min_tokens=None, rounds=50, seed=1024):
        """Groups by ISF, as the arrays (offsets, indices, oversize): group g is indices[offsets[g]:offsets[g + 1]].

        oversize: the samples that exceed max_vit or max_tokens, ascending. Every sample is in one group or in oversize.
        """
        vit, tokens = lengths("vit", vit), lengths("tokens", tokens)
        if len(vit) != len(tokens):
            raise ValueError(f"vit has {len(vit)} values and tokens {len(tokens)}")
        min_vit = max_vit if min_vit is None else min_vit
        min_tokens = max(max_tokens - 128, 0) if min_tokens is None else min_tokens
        for name, bound in ("max_vit", max_vit), ("max_tokens", max_tokens):
            if not 1 <= bound < 1 << 31:
                raise ValueError(f"{name} is {bound}, expected a whole number from 1 to 2147483647")
        bounds = max_vit, max_tokens, min_vit, min_tokens
        if min(bounds) < 0 or max(bounds) >= 1 << 31 or rounds < 1 or not 0 <= seed < 1 << 32:
            raise ValueError(f"bounds {bounds}, rounds {rounds} or seed {seed} out of range")
        top = self.call("mark")
        try:
            self._check(self.call("isfBegin", len(vit), *bounds, seed))
            self._check(self.call("isfPush", self.put(vit), self.put(tokens), len(vit)))
            for left in range(rounds - 1, -1, -1):
                if self.call("isfRound", left == 0) == 0:
                    break
            self._check(self.call("isfFinish"))
            offsets = self.get(self.call("packingOffsets"), self.call("packingGroups") + 1)
            indices = self.get(self.call("packingOrder"), offsets[-1])
            return offsets, indices, self.get(self.call("packingOversize"), self.call("packingOversizeCount"))
        finally:
            self.call("release", top)

    def fingerprint(self, offsets, indices, oversize):
        """The fingerprint of a packing, as docs/formats.md has it."""
        top = self.call("mark")
        try:
            groups = self.call("groupsFingerprint", self.put(offsets), self.put(indices), len(offsets) - 1, 0.0)
            rest = self.call("oversizeFingerprint", self.put(oversize), len(oversize))
            return f"{groups + rest & 0xFFFFFFFFFFFFFFFF:016x}"
        finally:
            self.call("release", top)

    def permutation(self, n, seed):
        """torch.randperm(n) by a generator with this seed."""
        top = self.call("mark")
        try:
            at = self.put(np.arange(n, dtype="<u4"))
            self.call("mtSeed", seed)
            self.call("mtTorchShuffle", at, n)
            return self.get(at, n)
        finally:
            self.call("release", top)

    def plan(self, vit, tokens, attention, ranks, seed, epoch, drop_last=False):
        """An epoch's groups, step after step one for each rank, those of a step alike in vit and tokens.

        vit, tokens, attention: the sums of each group, of attention those of tokens^2."""
        top = self.call("mark")
        try:
            columns = self.put([self.put(load, "<f8") for load in (vit, tokens, attention)])
            kinds = self.put(np.array([2, 1, 0]), "<u1")  # what an encoder sees, what sequences are padded in, a sum
            self._check(self.call("unitsBegin", columns, kinds, 3, self.put([len(vit)]), 1, 1))
            weights = self.put(np.array([1, 1, 0]), "<f8")
            self._check(self.call("planBalanced", ranks, 1, seed, epoch, not drop_last, weights, 0))
            return self.get(self.call("planOrder"), self.call("planLength"))
        finally:
            self.call("release", top)

    def _check(self, status):
        """Raises what a status of assembly/base/status.ts means, if it is not 0."""
        if status == 1:
            raise MemoryError("the samples do not fit: a WebAssembly memory ends at 4 GiB, about 170 million samples")
        if status == 2:
            raise ValueError("the module refused an argument that the checks here had passed")
        if status in (3, 4):
            name = "vit" if status == 3 else "tokens"
            raise ValueError(f"{name}: a value is beyond its range, expected whole numbers from 0 to 2147483647")
        if status == 18:
            name = ("vit", "tokens", "attention")[self.call("errorLoad")]
            raise ValueError(f"{name} of group {self.call('errorIndex')} is beyond its range, expected 0 to 2^62")
        if status != 0:
            raise RuntimeError(f"the module answered {status}: it is of another version than this file")


def lengths(name, values):
    values = np.asarray(values)
    if values.size == 0:
        return np.zeros(0, "<u4")
    if values.ndim != 1 or values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= 1 << 31:
        raise ValueError(f"{name}: expected one whole number from 0 to 2147483647 per sample")
    return values


class GroupBatchSampler:
    """One rank's groups, epoch after epoch, in the order of torch's DistributedSampler over the groups.

    The batches are those of `omnibal.sampler(packing, { kind: "random", ... })` in JavaScript with the same seed.
    Packs once. Epoch e draws a permutation of all groups with seed + e; rank r takes places r, r + world_size, ...
    Tail: every rank takes ceil(groups / world_size) steps, and the ranks that run out start over at the front of the
    permutation; with drop_last all take floor(groups / world_size) and the rest of the permutation is left out.

    With even=True the order is that of `omnibal.plan(packing, { ranks, epoch, seed })` instead: all ranks have alike
    tiles and tokens at every step, so that none waits long; steps come in random order, and the tail rotates.

    oversize: the indices of samples that exceed max_vit or max_tokens. No batch has them; rank 0 warns if there are any.
    """

    def __init__(self, wasm, vit, tokens, *, rank=0, world_size=1, seed=1024, drop_last=False, even=False, **bounds):
        if not 0 <= rank < world_size:
            raise ValueError(f"rank is {rank}, expected 0 to {world_size - 1}")
        self._omnibal = Omnibal(wasm)
        self.offsets, self.indices, self.oversize = self._omnibal.pack(vit, tokens, seed=seed, **bounds)
        if rank == 0 and len(self.oversize) > 0:
            first = ", ".join(map(str, self.oversize[:3])) + (", ..." if len(self.oversize) > 3 else "")
            limits = f"max_vit {bounds['max_vit']}, max_tokens {bounds['max_tokens']}"
            warnings.warn(f"{len(self.oversize)} of {len(vit)} samples in no group ({limits}): {first}", stacklevel=2)
        groups = len(self.offsets) - 1
        self._samples, self._fingerprint = len(vit), None
        self._sums = None
        if even:
            own = np.stack([np.asarray(x, "i8")[self.indices] for x in (vit, tokens)])
            ends = np.cumsum(np.pad(np.vstack([own, own[1] ** 2]), ((0, 0), (1, 0))), axis=1)
            self._sums = np.diff(ends[:, self.offsets])
        self._drop_last = drop_last
        self.steps = groups // world_size if drop_last else -(-groups // world_size)
        self.rank, self.world_size, self.seed = rank, world_size, seed
        self.epoch = self.step = self._start = 0

    def __len__(self):
        return self.steps

    def __iter__(self):
        self.step, self._start = self._start, 0
        if self._sums is None:
            order = self._omnibal.permutation(len(self.offsets) - 1, self.seed + self.epoch)
        else:
            order = self._omnibal.plan(*self._sums, self.world_size, self.seed, self.epoch, self._drop_last)
        mine = np.resize(order, self.steps * self.world_size)[self.rank :: self.world_size]
        for group in mine[self.step :]:
            self.step += 1
            yield self.indices[self.offsets[group] : self.offsets[group + 1]].tolist()

    def set_epoch(self, epoch):
        """Before each epoch. A step that load_state_dict set holds for the epoch it was saved in."""
        if epoch != self.epoch:
            self.epoch, self.step, self._start = epoch, 0, 0

    def _basis(self):
        """What the batches depend on beside the epoch, the rank and the step."""
        if self._fingerprint is None:
            oversize = np.setdiff1d(np.arange(self._samples), self.indices, assume_unique=True)
            self._fingerprint = self._omnibal.fingerprint(self.offsets, self.indices, oversize)
        return {
            "packing": self._fingerprint,
            "world_size": self.world_size,
            "seed": self.seed,
            "drop_last": self._drop_last,
            "even": self._sums is not None,
        }

    def state_dict(self):
        """Where the iteration is. Loader workers fetch ahead: save the steps you trained on as "step" then."""
        return {"version": 2, "epoch": self.epoch, "step": self.step, **self._basis()}

    def load_state_dict(self, state):
        """The next iteration is epoch state["epoch"] from step state["step"] on.

        Any rank's state does, but it must be of the same packing, number of ranks and options."""
        if state.get("version") != 2:
            raise ValueError(f"state has version {state.get('version')!r}, expected 2")
        for name, own in self._basis().items():
            if state.get(name) != own:
                raise ValueError(f"state was taken with {name} {state.get(name)!r}, this sampler has {own!r}")
        self.epoch, self.step, self._start = state["epoch"], state["step"], state["step"]
