// ISF in C on the input tiled:N, for `npm run bench`: the plain loop, and one with the same tricks as the core.
// Use: isf plain|tricks N. Then each line on standard input starts one run; its answer is "milliseconds groups".
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_VIT = 9, MAX_TOKENS = 4096, MIN_TOKENS = 3968, ROUNDS = 50, SEED = 1024 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int n;
static int *vit, *tokens;

static uint32_t x32 = 88675123;
static uint32_t draw(void) {
  x32 ^= x32 << 13;
  x32 ^= x32 >> 17;
  x32 ^= x32 << 5;
  return x32;
}

static void make_input(void) {
  vit = malloc(n * 4l);
  tokens = malloc(n * 4l);
  for (int i = 0; i < n; i++) {
    int c = draw() % 100, a = draw() % 300, b = draw() % 16;
    vit[i] = c < 55 ? 1 : c < 83 ? 3 : c < 86 ? 4 : 5;
    tokens[i] = 256 * vit[i] + 30 + a * (b == 0 ? 5 : 1);
  }
}

static uint32_t state[624], words[624];
static int at;

static void seed(uint32_t x) {
  for (int j = 0; j < 624; j++) {
    state[j] = x;
    x = 1812433253u * (x ^ (x >> 30)) + j + 1;
  }
  at = 624;
}

// ---- plain: a word at a time, branches, 8-byte records that move as a whole

static void twist(void) {
  for (int i = 0; i < 624; i++) {
    uint32_t y = (state[i] & 0x80000000u) | (state[(i + 1) % 624] & 0x7fffffffu);
    state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (-(y & 1) & 0x9908b0dfu);
  }
  at = 0;
}

static uint32_t next(void) {
  if (at == 624) twist();
  uint32_t y = state[at++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

typedef struct {
  uint32_t index, loads;
} Record;

static int *order, *offsets;

static int plain(void) {
  Record *a = malloc(n * sizeof(Record)), *b = malloc(n * sizeof(Record));
  for (int i = 0; i < n; i++) a[i] = (Record){i, (uint32_t)vit[i] << 20 | tokens[i]};
  int left = n, out = 0, groups = 0;
  offsets[0] = 0;
  for (int round = 0; round < ROUNDS && left > 0; round++) {
    int last = round == ROUNDS - 1;
    seed(round == 0 ? SEED : SEED + round - 1);
    for (int i = left - 1; i > 0; i--) {
      uint32_t mask = 0xffffffffu >> __builtin_clz(i), j;
      do j = next() & mask;
      while (j > (uint32_t)i);
      Record x = a[i];
      a[i] = a[j];
      a[j] = x;
    }
    int rest = 0, start = 0, v = 0, t = 0;
    for (int k = 0; k <= left; k++) {
      int x = 0, y = 0;
      if (k < left) {
        x = a[k].loads >> 20;
        y = a[k].loads & 0xfffff;
        if (v + x <= MAX_VIT && t + y <= MAX_TOKENS) {
          v += x;
          t += y;
          continue;
        }
      }
      if (last || v >= MAX_VIT || t >= MIN_TOKENS) {
        for (int q = start; q < k; q++) order[out++] = a[q].index;
        offsets[++groups] = out;
      } else {
        for (int q = start; q < k; q++) b[rest++] = a[q];
      }
      start = k;
      v = x;
      t = y;
    }
    Record *s = a;
    a = b;
    b = s;
    left = rest;
  }
  free(a);
  free(b);
  return groups;
}

// ---- tricks: blocks of words, branch-free rejection, one guarded subtraction per sample, blocked gather

static void refill(void) {
  int i = 0;
  for (; i < 227; i++) {
    uint32_t y = (state[i] & 0x80000000u) | (state[i + 1] & 0x7fffffffu);
    state[i] = state[i + 397] ^ (y >> 1) ^ (-(y & 1) & 0x9908b0dfu);
  }
  for (; i < 623; i++) {
    uint32_t y = (state[i] & 0x80000000u) | (state[i + 1] & 0x7fffffffu);
    state[i] = state[i - 227] ^ (y >> 1) ^ (-(y & 1) & 0x9908b0dfu);
  }
  uint32_t y = (state[623] & 0x80000000u) | (state[0] & 0x7fffffffu);
  state[623] = state[396] ^ (y >> 1) ^ (-(y & 1) & 0x9908b0dfu);
  for (i = 0; i < 624; i++) {
    uint32_t z = state[i];
    z ^= z >> 11;
    z ^= (z << 7) & 0x9d2c5680u;
    z ^= (z << 15) & 0xefc60000u;
    words[i] = z ^ (z >> 18);
  }
  at = 0;
}

static void shuffle(uint32_t *a, int count) {
  static uint32_t partners[625];
  uint32_t i = count - 1;
  while (count > 1 && i > 0) {
    if (at == 624) refill();
    uint32_t mask = 0xffffffffu >> __builtin_clz(i), low = mask >> 1, current = i;
    int k = 0;
    while (at < 624 && current > low) {
      uint32_t room = 624 - at, band = current - low;
      int stop = at + (room < band ? room : band);
      for (; at < stop; at++) {
        uint32_t j = words[at] & mask;
        partners[k] = j;
        int ok = j <= current;
        k += ok;
        current -= ok;
      }
    }
    for (int p = 0; p < k; p++, i--) {
      uint32_t x = a[partners[p]];
      a[partners[p]] = a[i];
      a[i] = x;
    }
  }
}

static int tricks(void) {
  enum { TOKEN_BITS = 13 };
  const uint32_t guards = 1u << (TOKEN_BITS + 5) | 1u << TOKEN_BITS;
  const uint32_t full = guards | MAX_VIT << (TOKEN_BITS + 1) | MAX_TOKENS;
  uint32_t *loads = malloc(n * 4l), *samples = malloc(n * 4l), gathered[1024];
  for (int i = 0; i < n; i++) {
    loads[i] = (uint32_t)vit[i] << (TOKEN_BITS + 1) | tokens[i];
    samples[i] = i;
  }
  int left = n, a = 0, groups = 0;
  offsets[0] = 0;
  for (int round = 0; round < ROUNDS && left > 0; round++) {
    int last = round == ROUNDS - 1;
    seed(round == 0 ? SEED : SEED + round - 1);
    shuffle(samples, left);
    const uint32_t slack = last ? full : guards + (MAX_TOKENS - MIN_TOKENS);
    uint32_t room = full;
    int b = 0, length = 0;
    for (int from = 0; from < left; from += 1024) {
      int count = left - from < 1024 ? left - from : 1024;
      for (int k = 0; k < count; k++) gathered[k] = loads[samples[from + k]];
      for (int k = 0; k < count; k++) {
        uint32_t x = samples[from + k], rest = room - gathered[k];
        int ends = (rest & guards) != guards;
        int keep = ends & (((slack - (room ^ guards)) & guards) != 0), drop = ends ^ keep;
        a += length & -keep;
        b += length & -drop;
        groups += keep;
        offsets[groups] = a;
        length &= ends - 1;
        room = rest + ((full - room) & -ends);
        order[a + length] = x;
        samples[b + length] = x;
        length++;
      }
    }
    if (length > 0) {
      if (((slack - (room ^ guards)) & guards) != 0) {
        a += length;
        offsets[++groups] = a;
      } else {
        b += length;
      }
    }
    left = b;
  }
  free(loads);
  free(samples);
  return groups;
}

int main(int count, char **args) {
  if (count < 3) return 2;
  n = atoi(args[2]);
  int (*run)(void) = strcmp(args[1], "tricks") == 0 ? tricks : plain;
  make_input();
  order = malloc((n + 1) * 4l);
  offsets = malloc((n + 2) * 4l);
  for (int c; (c = getchar()) != EOF;) {
    if (c != '\n') continue;
    double start = now();
    int groups = run();
    printf("%.4f %d\n", now() - start, groups);
    fflush(stdout);
  }
}
