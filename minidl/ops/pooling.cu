// Pooling over up to three axes, and its gradients. Forward, a thread finds one output, from the taps of its window. For the
// gradient, a thread finds one number of dx, from the windows that read it: nothing is added to memory by two threads.
// Neighbouring threads take neighbouring channels, which lie side by side in memory.
//
// REAL: float or double. INDEX: near or far, what counts the places in the arrays.

typedef int near;
typedef long long far;

// All i below n, shared among the threads of all blocks.
#define EACH(i, n) for (far i = blockIdx.x * (far)blockDim.x + threadIdx.x; i < (n); i += (far)gridDim.x * blockDim.x)

// The windows over (images, e0, e1, e2, channels); what it has of each axis is written below the field's name.
struct Windows {
    far images, channels;
    far extent[3], out[3], size[3], stride[3], dilation[3], before[3], after[3];
};

// A number's image, position and channel, from its place in an array.
struct Place {
    INDEX image, at[3], channel;

    __device__ Place(far i, const far* lengths, const Windows& g) {
        INDEX rest = (INDEX)i;
        channel = rest % (INDEX)g.channels;
        rest /= (INDEX)g.channels;
        for (int axis = 2; axis >= 0; axis--) {
            at[axis] = rest % (INDEX)lengths[axis];
            rest /= (INDEX)lengths[axis];
        }
        image = rest;
    }
};

__device__ INDEX place_of(INDEX image, const INDEX* at, INDEX channel, const far* lengths, const Windows& g) {
    for (int axis = 0; axis < 3; axis++) image = image * (INDEX)lengths[axis] + at[axis];
    return image * (INDEX)g.channels + channel;
}

// The taps of a window, in row-major order.
#define EACH_TAP(t, g)                             \
    for (INDEX t[3] = {0, 0, 0}; t[0] < g.size[0]; t[0]++) \
        for (t[1] = 0; t[1] < g.size[1]; t[1]++)   \
            for (t[2] = 0; t[2] < g.size[2]; t[2]++)

// The position that window o reads through tap t; whether it lies in the input
__device__ bool read(INDEX* i, const INDEX* o, const INDEX* t, const Windows& g) {
    bool inside = true;
    for (int axis = 0; axis < 3; axis++) {
        i[axis] = o[axis] * (INDEX)g.stride[axis] + t[axis] * (INDEX)g.dilation[axis] - (INDEX)g.before[axis];
        inside = inside && i[axis] >= 0 && i[axis] < g.extent[axis];
    }
    return inside;
}

// The window that reads position i through tap t; whether there is one
__device__ bool reader(INDEX* o, const INDEX* i, const INDEX* t, const Windows& g) {
    bool there = true;
    for (int axis = 0; axis < 3; axis++) {
        INDEX begin = i[axis] + (INDEX)g.before[axis] - t[axis] * (INDEX)g.dilation[axis];
        o[axis] = begin / (INDEX)g.stride[axis];
        there = there && begin >= 0 && begin % (INDEX)g.stride[axis] == 0 && o[axis] < g.out[axis];
    }
    return there;
}

// n(o): the taps of window o that lie in the input or, if they count, in its padding
__device__ REAL counted(const INDEX* o, far count_padding, const Windows& g) {
    INDEX n = 1;
    for (int axis = 0; axis < 3; axis++) {
        INDEX along = 0;
        for (INDEX t = 0; t < g.size[axis]; t++) {
            INDEX i = o[axis] * (INDEX)g.stride[axis] + t * (INDEX)g.dilation[axis] - (INDEX)g.before[axis];
            along += count_padding ? i < g.extent[axis] + g.after[axis] : i >= 0 && i < g.extent[axis];
        }
        n *= along;
    }
    return (REAL)n;
}

__device__ far numbers(const far* lengths, const Windows& g) {
    return g.images * lengths[0] * lengths[1] * lengths[2] * g.channels;
}

// x -> y: the largest of each window; a NaN is larger than all
extern "C" __global__ void max_pool(const REAL* x, REAL* y, Windows g) {
    EACH(n, numbers(g.out, g)) {
        Place o(n, g.out, g);
        REAL largest = 0;
        bool none = true;
        EACH_TAP(t, g) {
            INDEX i[3];
            if (!read(i, o.at, t, g)) continue;
            REAL number = x[place_of(o.image, i, o.channel, g.extent, g)];
            if (none || number > largest || number != number) largest = number;
            none = false;
        }
        y[n] = largest;
    }
}

// Whether an earlier tap than t of window o reads a number equal to y (in the padding it is minus infinity)
__device__ bool is_taken(const REAL* x, REAL y, const Place& at, const INDEX* o, const INDEX* t, const Windows& g) {
    EACH_TAP(e, g) {
        if (e[0] == t[0] && e[1] == t[1] && e[2] == t[2]) return false;
        INDEX i[3];
        bool minus_infinity = y < 0 && y - y != 0;
        if (read(i, o, e, g) ? x[place_of(at.image, i, at.channel, g.extent, g)] == y : minus_infinity) return true;
    }
    return false;
}

// dy, x, y -> dx: dy of every window of which this number is the first maximum
extern "C" __global__ void max_pool_dx(const REAL* dy, const REAL* x, const REAL* y, REAL* dx, Windows g) {
    EACH(n, numbers(g.extent, g)) {
        Place i(n, g.extent, g);
        REAL sum = 0;
        EACH_TAP(t, g) {
            INDEX o[3];
            if (!reader(o, i.at, t, g)) continue;
            INDEX from = place_of(i.image, o, i.channel, g.out, g);
            if (x[n] == y[from] && !is_taken(x, y[from], i, o, t, g)) sum += dy[from];
        }
        dx[n] = sum;
    }
}

// x -> y: the mean of each window
extern "C" __global__ void avg_pool(const REAL* x, REAL* y, far count_padding, Windows g) {
    EACH(n, numbers(g.out, g)) {
        Place o(n, g.out, g);
        REAL sum = 0;
        EACH_TAP(t, g) {
            INDEX i[3];
            if (read(i, o.at, t, g)) sum += x[place_of(o.image, i, o.channel, g.extent, g)];
        }
        y[n] = sum / counted(o.at, count_padding, g);
    }
}

// dy -> dx: of every window that reads this number, dy / n
extern "C" __global__ void avg_pool_dx(const REAL* dy, REAL* dx, far count_padding, Windows g) {
    EACH(n, numbers(g.extent, g)) {
        Place i(n, g.extent, g);
        REAL sum = 0;
        EACH_TAP(t, g) {
            INDEX o[3];
            if (reader(o, i.at, t, g)) sum += dy[place_of(i.image, o, i.channel, g.out, g)] * (1 / counted(o, count_padding, g));
        }
        dx[n] = sum;
    }
}
