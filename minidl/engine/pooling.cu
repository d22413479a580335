// Pooling over up to three axes, and its gradients. In the forward, a thread computes one output
// from the taps of its window. In the gradient, a thread computes one number of dx from the windows
// that read it, so that no two threads add to the same number. Adjacent threads compute adjacent
// channels, which are contiguous in memory.

// The windows over an array of shape (images, extent[0], extent[1], extent[2], channels), with the
// fields of `Windows` in shapes.py. before, after: the padding.
struct Windows {
    Count images, channels;
    Count extent[3], out[3], size[3], stride[3], dilation[3], before[3], after[3];
};

// The image, position and channel of a number, from its flat index i in an array.
struct Place {
    Index image, at[3], channel;

    __device__ Place(Count i, const Count* lengths, const Windows& g) {
        Index rest = (Index)i;
        channel = rest % (Index)g.channels;
        rest /= (Index)g.channels;
        for (int axis = 2; axis >= 0; axis--) {
            at[axis] = rest % (Index)lengths[axis];
            rest /= (Index)lengths[axis];
        }
        image = rest;
    }
};

__device__ Index place_of(Index image, const Index* at, Index channel, const Count* lengths, const Windows& g) {
    for (int axis = 0; axis < 3; axis++) image = image * (Index)lengths[axis] + at[axis];
    return image * (Index)g.channels + channel;
}

// Loop over the taps of a window, in row-major order.
#define EACH_TAP(t, g)                             \
    for (Index t[3] = {0, 0, 0}; t[0] < g.size[0]; t[0]++) \
        for (t[1] = 0; t[1] < g.size[1]; t[1]++)   \
            for (t[2] = 0; t[2] < g.size[2]; t[2]++)

// Compute the position i that window o reads through tap t. Return whether it is inside the input.
__device__ bool read(Index* i, const Index* o, const Index* t, const Windows& g) {
    bool inside = true;
    for (int axis = 0; axis < 3; axis++) {
        i[axis] = o[axis] * (Index)g.stride[axis] + t[axis] * (Index)g.dilation[axis] - (Index)g.before[axis];
        inside = inside && i[axis] >= 0 && i[axis] < g.extent[axis];
    }
    return inside;
}

// The first tap along an axis through which a window may read position i, and the distance to the
// next such tap. With a dilation, all taps are tried.
__device__ Index first_tap(const Index* i, int axis, const Windows& g) {
    return g.dilation[axis] == 1 ? (i[axis] + (Index)g.before[axis]) % (Index)g.stride[axis] : 0;
}

__device__ Index next_tap(int axis, const Windows& g) { return g.dilation[axis] == 1 ? (Index)g.stride[axis] : 1; }

#define EACH_TAP_OF(i, t, g)                                                                                         \
    for (Index t[3] = {first_tap(i, 0, g), 0, 0}; t[0] < g.size[0]; t[0] += next_tap(0, g))                          \
        for (t[1] = first_tap(i, 1, g); t[1] < g.size[1]; t[1] += next_tap(1, g))                                    \
            for (t[2] = first_tap(i, 2, g); t[2] < g.size[2]; t[2] += next_tap(2, g))

// Compute the window o that reads position i through tap t. Return whether there is one.
__device__ bool reader(Index* o, const Index* i, const Index* t, const Windows& g) {
    bool there = true;
    for (int axis = 0; axis < 3; axis++) {
        Index begin = i[axis] + (Index)g.before[axis] - t[axis] * (Index)g.dilation[axis];
        o[axis] = begin / (Index)g.stride[axis];
        there = there && begin >= 0 && begin % (Index)g.stride[axis] == 0 && o[axis] < g.out[axis];
    }
    return there;
}

// n(o): the number of taps of window o inside the input or, with count_padding, inside its padding
__device__ Real counted(const Index* o, Count count_padding, const Windows& g) {
    Index n = 1;
    for (int axis = 0; axis < 3; axis++) {
        Index along = 0;
        for (Index t = 0; t < g.size[axis]; t++) {
            Index i = o[axis] * (Index)g.stride[axis] + t * (Index)g.dilation[axis] - (Index)g.before[axis];
            along += count_padding ? i < g.extent[axis] + g.after[axis] : i >= 0 && i < g.extent[axis];
        }
        n *= along;
    }
    return (Real)n;
}

__device__ Count numbers(const Count* lengths, const Windows& g) {
    return g.images * lengths[0] * lengths[1] * lengths[2] * g.channels;
}

// x -> y: the maximum of each window. A NaN counts as larger than all numbers.
extern "C" __global__ void max_pool(const Real* x, Real* y, Windows g) {
    EACH(n, numbers(g.out, g)) {
        Place o(n, g.out, g);
        Real largest = 0;
        bool none = true;
        EACH_TAP(t, g) {
            Index i[3];
            if (!read(i, o.at, t, g)) continue;
            Real number = x[place_of(o.image, i, o.channel, g.extent, g)];
            if (none || number > largest || number != number) largest = number;
            none = false;
        }
        y[n] = largest;
    }
}

// Whether a tap of window o before t reads a number equal to y. The padding is minus infinity.
__device__ bool is_taken(const Real* x, Real y, const Place& at, const Index* o, const Index* t, const Windows& g) {
    EACH_TAP(e, g) {
        if (e[0] == t[0] && e[1] == t[1] && e[2] == t[2]) return false;
        Index i[3];
        bool minus_infinity = y < 0 && y - y != 0;
        if (read(i, o, e, g) ? x[place_of(at.image, i, at.channel, g.extent, g)] == y : minus_infinity) return true;
    }
    return false;
}

// dy, x, y -> dx: the sum of dy over the windows of which this number is the first maximum
extern "C" __global__ void max_pool_dx(const Real* dy, const Real* x, const Real* y, Real* dx, Windows g) {
    EACH(n, numbers(g.extent, g)) {
        Place i(n, g.extent, g);
        Real sum = 0;
        EACH_TAP_OF(i.at, t, g) {
            Index o[3];
            if (!reader(o, i.at, t, g)) continue;
            Index from = place_of(i.image, o, i.channel, g.out, g);
            if (x[n] == y[from] && !is_taken(x, y[from], i, o, t, g)) sum += dy[from];
        }
        dx[n] = sum;
    }
}

// x -> y: the mean of each window
extern "C" __global__ void avg_pool(const Real* x, Real* y, Count count_padding, Windows g) {
    EACH(n, numbers(g.out, g)) {
        Place o(n, g.out, g);
        Real sum = 0;
        EACH_TAP(t, g) {
            Index i[3];
            if (read(i, o.at, t, g)) sum += x[place_of(o.image, i, o.channel, g.extent, g)];
        }
        y[n] = sum / counted(o.at, count_padding, g);
    }
}

// dy -> dx: the sum of dy / n over the windows that read this number
extern "C" __global__ void avg_pool_dx(const Real* dy, Real* dx, Count count_padding, Windows g) {
    EACH(n, numbers(g.extent, g)) {
        Place i(n, g.extent, g);
        Real sum = 0;
        EACH_TAP_OF(i.at, t, g) {
            Index o[3];
            if (reader(o, i.at, t, g)) sum += dy[place_of(i.image, o, i.channel, g.out, g)] * (1 / counted(o, count_padding, g));
        }
        dx[n] = sum;
    }
}
