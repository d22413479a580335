// The transforms of winograd.py as kernels, in two dimensions. A thread transforms one tile of one channel in
// its registers, along one axis and then along the other. Adjacent threads compute adjacent
// channels, which are contiguous in memory.

// A range of all tiles: the first and the number of tiles. rows, columns: tiles of an image.
// height, width, channels: of an image. above, left: its padding.
struct Tiling {
    Count first, tiles, rows, columns, height, width, channels, above, left;
};

// The tile and channel of a thread, and the first output of the tile: (row, column) in the image.
struct Place {
    Index tile, channel, image, row, column;

    __device__ Place(Count i, const Tiling& g) {
        tile = (Index)i / (Index)g.channels;
        channel = (Index)i % (Index)g.channels;
        Index all = tile + (Index)g.first;
        column = 4 * (all % (Index)g.columns);
        row = 4 * (all / (Index)g.columns % (Index)g.rows);
        image = all / (Index)(g.columns * g.rows);
    }
};

// The flat index of the number at (row, column) of the place's image and channel, or -1 outside the
// image.
__device__ Index within(const Place& at, Index row, Index column, const Tiling& g) {
    if (row < 0 || row >= g.height || column < 0 || column >= g.width) return -1;
    return ((at.image * (Index)g.height + row) * (Index)g.width + column) * (Index)g.channels + at.channel;
}

// Bᵀ d, in place, for six numbers that are `step` apart
__device__ void inputs_to_points(Real* d, int step) {
    Real d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    d[0] = 4 * d0 - 5 * d2 + d4;
    d[step] = -4 * (d1 + d2) + d3 + d4;
    d[2 * step] = 4 * (d1 - d2) - d3 + d4;
    d[3 * step] = 2 * (d3 - d1) - d2 + d4;
    d[4 * step] = 2 * (d1 - d3) - d2 + d4;
    d[5 * step] = 4 * d1 - 5 * d3 + d5;
}

// A dy, in place: from four numbers to six
__device__ void gradients_to_points(Real* d, int step) {
    Real even = d[0] + d[2 * step], odd = d[step] + d[3 * step];
    Real even2 = d[0] + 4 * d[2 * step], odd2 = 2 * d[step] + 8 * d[3 * step];
    d[5 * step] = d[3 * step];
    d[step] = even + odd;
    d[2 * step] = even - odd;
    d[3 * step] = even2 + odd2;
    d[4 * step] = even2 - odd2;
}

// Aᵀ m, in place: from six numbers to four
__device__ void points_to_outputs(Real* m, int step) {
    Real sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
    Real sum2 = m[3 * step] + m[4 * step], difference2 = m[3 * step] - m[4 * step];
    m[0] = m[0] + sum + sum2;
    m[step] = difference + 2 * difference2;
    m[2 * step] = sum + 4 * sum2;
    m[3 * step] = difference + 8 * difference2 + m[5 * step];
}

// G g, in place: from three numbers to six
__device__ void kernel_to_points(Real* g, int step) {
    Real g0 = g[0], g1 = g[step], g2 = g[2 * step];
    g[0] = g0 / 4;
    g[step] = -(g0 + g1 + g2) / 6;
    g[2 * step] = -(g0 - g1 + g2) / 6;
    g[3 * step] = (g0 + 2 * g1 + 4 * g2) / 24;
    g[4 * step] = (g0 - 2 * g1 + 4 * g2) / 24;
    g[5 * step] = g2;
}

// Gᵀ u, in place: from six numbers to three
__device__ void points_to_kernel(Real* u, int step) {
    Real sum = u[step] + u[2 * step], difference = u[step] - u[2 * step];
    Real sum2 = u[3 * step] + u[4 * step], difference2 = u[3 * step] - u[4 * step];
    u[0] = u[0] / 4 - sum / 6 + sum2 / 24;
    u[step] = -difference / 6 + difference2 / 12;
    u[2 * step] = -sum / 6 + sum2 / 6 + u[5 * step];
}

// Read a tile of `taken` x `taken` numbers of an image. A number is 0 outside the image and, if
// there is a mask, where the mask is 0, even if the number there is infinite.
__device__ void take(Real d[6][6], int taken, const Real* x, const Real* mask, const Place& at, const Tiling& g) {
#pragma unroll
    for (int r = 0; r < 6; r++)
#pragma unroll
        for (int s = 0; s < 6; s++) {
            bool wanted = r < taken && s < taken;
            Index from = wanted ? within(at, at.row + r - (Index)g.above, at.column + s - (Index)g.left, g) : -1;
            bool passes = from >= 0 && (!mask || mask[from] != 0);
            d[r][s] = passes ? x[from] : 0;
        }
}

__device__ void put_at_points(const Real d[6][6], Real* V, const Place& at, const Tiling& g) {
#pragma unroll
    for (int p = 0; p < 36; p++) V[(p * (Index)g.tiles + at.tile) * (Index)g.channels + at.channel] = d[p / 6][p % 6];
}

// x, mask (N, H, W, C) -> V (36, tiles, C) = Bᵀ d B
extern "C" __global__ void inputs_at_points(const Real* x, const Real* mask, Real* V, Tiling g) {
    EACH(i, g.tiles * g.channels) {
        Place at(i, g);
        Real d[6][6];
        take(d, 6, x, mask, at, g);
        for (int r = 0; r < 6; r++) inputs_to_points(d[r], 1);
        for (int s = 0; s < 6; s++) inputs_to_points(&d[0][s], 6);
        put_at_points(d, V, at, g);
    }
}

// dy, mask (N, H, W, K) -> dM (36, tiles, K) = A dy Aᵀ
extern "C" __global__ void gradients_at_points(const Real* dy, const Real* mask, Real* dM, Tiling g) {
    EACH(i, g.tiles * g.channels) {
        Place at(i, g);
        Real d[6][6];
        take(d, 4, dy, mask, at, g);
        for (int r = 0; r < 4; r++) gradients_to_points(d[r], 1);
        for (int s = 0; s < 6; s++) gradients_to_points(&d[0][s], 6);
        put_at_points(d, dM, at, g);
    }
}

// M (36, tiles, K), bias (K) or null -> y (N, H, W, K) = Aᵀ M A + bias, or with `rectify` its
// maximum with 0
extern "C" __global__ void outputs_from_points(const Real* M, const Real* bias, Real* y, Count rectify, Tiling g) {
    EACH(i, g.tiles * g.channels) {
        Place at(i, g);
        Real m[6][6];
#pragma unroll
        for (int p = 0; p < 36; p++) m[p / 6][p % 6] = M[(p * (Index)g.tiles + at.tile) * (Index)g.channels + at.channel];
        for (int r = 0; r < 6; r++) points_to_outputs(m[r], 1);
        for (int s = 0; s < 4; s++) points_to_outputs(&m[0][s], 6);
        Real b = bias ? bias[at.channel] : 0;
#pragma unroll
        for (int r = 0; r < 4; r++)
#pragma unroll
            for (int s = 0; s < 4; s++) {
                Index to = within(at, at.row + r, at.column + s, g);
                Real sum = m[r][s] + b;
                if (to >= 0) y[to] = rectify && sum <= 0 ? 0 : sum;
            }
    }
}

// w (3, 3, C, K) -> U (36, C, K) = G g Gᵀ, or with `turn`, of w rotated by 180°, (36, K, C)
extern "C" __global__ void kernels_at_points(const Real* w, Real* U, Count turn, Count inputs, Count outputs) {
    Count count = inputs * outputs;
    EACH(i, count) {
        Count c = turn ? i % inputs : i / outputs, k = turn ? i / inputs : i % outputs;
        Real g[6][6];
        for (int t = 0; t < 9; t++) g[t / 3][t % 3] = w[((turn ? 8 - t : t) * inputs + c) * outputs + k];
        for (int r = 0; r < 3; r++) kernel_to_points(g[r], 1);
        for (int s = 0; s < 6; s++) kernel_to_points(&g[0][s], 6);
        for (int p = 0; p < 36; p++) U[p * count + i] = g[p / 6][p % 6];
    }
}

// dU (36, C, K) -> dw (3, 3, C, K) = Gᵀ dU G; count: C·K
extern "C" __global__ void kernels_from_points(const Real* dU, Real* dw, Count count) {
    EACH(i, count) {
        Real u[6][6];
        for (int p = 0; p < 36; p++) u[p / 6][p % 6] = dU[p * count + i];
        for (int r = 0; r < 6; r++) points_to_kernel(u[r], 1);
        for (int s = 0; s < 3; s++) points_to_kernel(&u[0][s], 6);
        for (int t = 0; t < 9; t++) dw[t * count + i] = u[t / 3][t % 3];
    }
}
