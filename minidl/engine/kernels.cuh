// What every kernel file begins with. REAL: float or double. INDEX: what counts the places in the arrays, int or, where they are
// too many, Count.

typedef long long Count;
typedef REAL Real;
typedef INDEX Index;
static_assert(sizeof(Count) == 8, "a Count has 64 bits");

// All i below n, shared among the threads of all blocks.
#define EACH(i, n) for (Count i = blockIdx.x * (Count)blockDim.x + threadIdx.x; i < (n); i += (Count)gridDim.x * blockDim.x)
