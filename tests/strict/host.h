// Definitions of CUDA's keywords that turn a kernel into an ordinary function of the host, which is
// called once for each thread.
#pragma once
#include <math.h>
#include <numeric>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

struct dim3 { unsigned x, y, z; };
static thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

template <class T> static inline T min(T a, T b) { return b < a ? b : a; }
template <class T> static inline T max(T a, T b) { return a < b ? b : a; }

namespace host {

// The type of a parameter. pointer: ' ' for a value, '*' for a pointer, '+' for a pointer to const.
// kind and size: of the value, or of the value pointed to; kind is NumPy's letter.
struct Parameter { char pointer, kind; int size; };

template <class T> constexpr char kind = std::is_same_v<T, bool>     ? 'b'
                                         : std::is_floating_point_v<T> ? 'f'
                                         : !std::is_integral_v<T>      ? 'V'
                                         : std::is_signed_v<T>         ? 'i'
                                                                       : 'u';

template <class P> Parameter parameter() {
    using T = std::remove_cv_t<P>;
    if constexpr (std::is_pointer_v<T>) {
        using Pointed = std::remove_pointer_t<T>;
        constexpr char pointer = std::is_const_v<Pointed> ? '+' : '*';
        return {pointer, kind<std::remove_cv_t<Pointed>>, sizeof(Pointed)};
    } else
        return {' ', kind<T>, sizeof(T)};
}

template <class... P> int parameters(void (*)(P...), Parameter* list) {
    ((*list++ = parameter<P>()), ...);
    return sizeof...(P);
}

inline dim3 position(unsigned long long n, dim3 size) {
    return {unsigned(n % size.x), unsigned(n / size.x % size.y), unsigned(n / size.x / size.y)};
}

template <class... P, std::size_t... I>
void every_thread(void (*kernel)(P...), void** arguments, std::index_sequence<I...>) {
    const unsigned long long threads = 1ull * blockDim.x * blockDim.y * blockDim.z;
    const unsigned long long all = threads * gridDim.x * gridDim.y * gridDim.z;
    // Threads run in a scrambled order: the step is large, and coprime to their number so that each
    // thread runs exactly once.
    unsigned long long step = all * 0.618;
    while (std::gcd(step, all) != 1) ++step;
    for (unsigned long long k = 0, n = step % all; k < all; ++k, n = (n + step) % all) {
        blockIdx = position(n / threads, gridDim);
        threadIdx = position(n % threads, blockDim);
        kernel(*static_cast<std::remove_cv_t<P>*>(arguments[I])...);
    }
}

template <class... P> void launch(void (*kernel)(P...), const unsigned* sizes, void** arguments) {
    gridDim = {sizes[0], sizes[1], sizes[2]};
    blockDim = {sizes[3], sizes[4], sizes[5]};
    every_thread(kernel, arguments, std::index_sequence_for<P...>());
}

}  // namespace host
