// A product goes block by block: blocks of both factors are split into bfloat16 numbers and packed into tiles, as the
// unit wants them, then multiplied tile by tile. The unit works beside the rest of the core, so adding up the last
// products is slipped between its instructions. (Packing the next block there too was no faster.)
//
// This file alone is compiled for instructions that the processor may lack. A template of the standard library would be
// too, and the linker might take that copy for the whole program: so there are none in it.
#include "amx.hpp"

#include <dnnl.h>
#include <immintrin.h>

#include <cstdint>

namespace onedge::linalg {

namespace {

using Bfloat16 = std::uint16_t;

constexpr std::size_t tile_side = 16, tile_depth = 32, tile_size = tile_side * tile_depth;
constexpr std::size_t pieces = 3;      // bfloat16 numbers for a float
constexpr std::size_t part_side = 32;  // the product's rows and columns that are in registers at once
constexpr std::size_t depth_block = 256, row_block = 64, column_block = 256;  // they fit a core's cache
constexpr std::size_t quarter = tile_side / 4;

// What the tile registers hold: eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig tile_config;

alignas(64) thread_local Bfloat16 packed_a[row_block * depth_block * pieces];
alignas(64) thread_local Bfloat16 packed_b[column_block * depth_block * pieces];

std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }
std::size_t tiles(std::size_t extent, std::size_t side) { return (extent + side - 1) / side; }
std::size_t beyond(std::size_t extent, std::size_t first) { return extent > first ? extent - first : 0; }

/// The first `count` of 16 lanes.
__mmask16 lanes(std::size_t count) { return static_cast<__mmask16>(count < 16 ? (1U << count) - 1 : 0xFFFFU); }

/// A matrix to be packed: `vectors` rows of a, or columns of b, of `depth` numbers each.
struct Factor {
  float const* data;
  std::size_t vector_stride, depth_stride;  // one of them is 1
  std::size_t vectors, depth;

  Factor block(std::size_t vector, std::size_t most_vectors, std::size_t at, std::size_t most_depth) const {
    return {data + vector * vector_stride + at * depth_stride, vector_stride, depth_stride,
            smaller(vectors - vector, most_vectors), smaller(depth - at, most_depth)};
  }
};

template <_mm_hint hint>
void prefetch(float const* x) {
  _mm_prefetch(reinterpret_cast<char const*>(x), hint);
}

/// Writes the three pieces of the numbers in two registers, `low` and `high` side by side in each pair, to the rows at
/// `out` of three tiles. The first two pieces are rounded to nearest, the last one holds what is left without rounding.
inline void split(__m512 low, __m512 high, Bfloat16* out) {
  __m512i const upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000U)), half = _mm512_set1_epi32(0x8000);
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    __m512i l = _mm512_castps_si512(low), h = _mm512_castps_si512(high);
    if (piece + 1 < pieces) {
      l = _mm512_add_epi32(l, half), h = _mm512_add_epi32(h, half);
      low = _mm512_sub_ps(low, _mm512_castsi512_ps(_mm512_and_si512(l, upper)));
      high = _mm512_sub_ps(high, _mm512_castsi512_ps(_mm512_and_si512(h, upper)));
    }
    constexpr int first_or_second_and_third = 0xF8;
    _mm512_store_si512(out + piece * tile_size,
                       _mm512_ternarylogic_epi32(_mm512_srli_epi32(l, 16), h, upper, first_or_second_and_third));
  }
}

/// out[i] = column i, i < 4, of 16 rows that lie `stride` apart; zeros outside of rows × columns.
inline void load_transposed(float const* x, std::size_t stride, std::size_t rows, std::size_t columns, __m512* out) {
  alignas(64) float edge[tile_side * quarter];
  if (rows < tile_side || columns < quarter) {
    for (std::size_t j = 0; j < tile_side * quarter; ++j) {
      bool const inside = j / quarter < rows && j % quarter < columns;
      edge[j] = inside ? x[j / quarter * stride + j % quarter] : 0.0F;
    }
    x = edge, stride = quarter;
  }
  __m512 row[quarter];  // of four 4 × 4 matrices side by side, the lanes of 128 bits
  for (std::size_t j = 0; j < quarter; ++j) {
    float const* const source = x + j * stride;
    __m512 const first = _mm512_castps128_ps512(_mm_loadu_ps(source));
    __m512 const second = _mm512_insertf32x4(first, _mm_loadu_ps(source + 4 * stride), 1);
    __m512 const third = _mm512_insertf32x4(second, _mm_loadu_ps(source + 8 * stride), 2);
    row[j] = _mm512_insertf32x4(third, _mm_loadu_ps(source + 12 * stride), 3);
  }
  __m512d const low01 = _mm512_castps_pd(_mm512_unpacklo_ps(row[0], row[1]));
  __m512d const low23 = _mm512_castps_pd(_mm512_unpacklo_ps(row[2], row[3]));
  __m512d const high01 = _mm512_castps_pd(_mm512_unpackhi_ps(row[0], row[1]));
  __m512d const high23 = _mm512_castps_pd(_mm512_unpackhi_ps(row[2], row[3]));
  out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
  out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
  out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
  out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
}

/// Four rows, from row `row` on, of 16 numbers, zeros outside of rows × columns; from row to row `across`, from number
/// to number `along`. Asks for what the next tile, `later` behind this one, needs.
inline void load_rows(float const* x, std::size_t row, std::size_t across, std::size_t along, std::size_t rows,
                      std::size_t columns, std::size_t later, __m512* out) {
  float const* const first = x + row * across;
  if (along == 1) {
    for (std::size_t i = 0; i < quarter; ++i) {
      prefetch<_MM_HINT_T1>(first + later + i * across);
      out[i] = row + i < rows ? _mm512_maskz_loadu_ps(lanes(columns), first + i * across) : _mm512_setzero_ps();
    }
  } else {
    for (std::size_t i = 0; row == 0 && i < columns; ++i) prefetch<_MM_HINT_T1>(first + later + i * along);
    load_transposed(first, along, columns, beyond(rows, row), out);
  }
}

/// Splits and packs the first 16 vectors and 32 depths. Rows of a tile are vectors of 16 pairs of depths, or (by_pairs)
/// pairs of 16 vectors. Depths i and i + 16 make a pair: in both factors, so that their order is free.
inline void pack_tile(Factor const& x, bool by_pairs, Bfloat16* packed) {
  std::size_t const depth[2] = {smaller(x.depth, tile_side), beyond(x.depth, tile_side)};
  std::size_t const later = tile_side * x.vector_stride;
  for (std::size_t row = 0; row < tile_side; row += quarter) {
    __m512 number[2][quarter];
    for (std::size_t half = 0; half < 2; ++half) {
      float const* const data = x.data + half * tile_side * x.depth_stride;
      if (by_pairs) {
        load_rows(data, row, x.depth_stride, x.vector_stride, depth[half], x.vectors, later, number[half]);
      } else {
        load_rows(data, row, x.vector_stride, x.depth_stride, x.vectors, depth[half], later, number[half]);
      }
    }
    for (std::size_t i = 0; i < quarter; ++i) split(number[0][i], number[1][i], packed + (row + i) * tile_depth);
  }
}

/// packed[tile of vectors, tile of depths, piece]; an even number of tiles of vectors.
void pack(Factor const& x, bool by_pairs, Bfloat16* packed) {
  std::size_t const extent = tiles(x.vectors, part_side) * part_side;
  for (std::size_t vector = 0; vector < extent; vector += tile_side) {
    for (std::size_t at = 0; at < x.depth; at += tile_depth, packed += pieces * tile_size) {
      pack_tile(x.block(smaller(vector, x.vectors), tile_side, at, tile_depth), by_pairs, packed);
    }
  }
}

/// c ← alpha · part + beta · c for the rows × columns of a part that c has, some rows at each step.
class Adder {
 public:
  Adder() = default;
  Adder(float const* part, std::size_t rows, std::size_t columns, float alpha, float beta, float* c, std::size_t ldc)
      : m_part(part),
        m_rows(smaller(rows, part_side)),
        m_columns(smaller(columns, part_side)),
        m_alpha(alpha),
        m_beta(beta),
        m_c(c),
        m_ldc(ldc) {
    for (std::size_t i = 0; i < m_rows; ++i) {
      for (std::size_t j = 0; j < m_columns; j += tile_side) {
        prefetch<_MM_HINT_T0>(c + i * ldc + j);
      }
    }
  }

  void add(std::size_t rows) {
    for (std::size_t const end = smaller(m_rows, m_row + rows); m_row < end; ++m_row) {
      for (std::size_t j = 0; j < m_columns; j += tile_side) {
        __mmask16 const mask = lanes(m_columns - j);
        float* const target = m_c + m_row * m_ldc + j;
        __m512 value = _mm512_mul_ps(_mm512_set1_ps(m_alpha), _mm512_load_ps(m_part + m_row * part_side + j));
        if (m_beta != 0) value = _mm512_fmadd_ps(_mm512_set1_ps(m_beta), _mm512_maskz_loadu_ps(mask, target), value);
        _mm512_mask_storeu_ps(target, mask, value);
      }
    }
  }

 private:
  float const* m_part = nullptr;
  std::size_t m_rows = 0, m_columns = 0, m_row = 0;
  float m_alpha = 0, m_beta = 0;
  float* m_c = nullptr;
  std::size_t m_ldc = 0;
};

/// out[32, 32] = the product of two strips of packed tiles, `depth_tiles` deep: each load of tiles serves as many
/// products as registers allow. Meanwhile the last part is added up.
void multiply(Bfloat16 const* a, Bfloat16 const* b, std::size_t depth_tiles, float* out, Adder& last) {
  constexpr int row_bytes = 64, out_bytes = part_side * sizeof(float);
  std::size_t const next = depth_tiles * pieces * tile_size;
  auto const load_a = [&](std::size_t piece) {
    _tile_loadd(4, a + piece * tile_size, row_bytes);
    _tile_loadd(5, a + next + piece * tile_size, row_bytes);
  };
  auto const load_b = [&](std::size_t piece) {
    _tile_loadd(6, b + piece * tile_size, row_bytes);
    _tile_loadd(7, b + next + piece * tile_size, row_bytes);
  };
  auto const add_products = [] {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  };
  __atomic_signal_fence(__ATOMIC_SEQ_CST);  // the compiler does not know that tile loads read memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::size_t i = 0; i < depth_tiles; ++i, a += pieces * tile_size, b += pieces * tile_size) {
    load_a(2), load_b(0), add_products();
    load_a(0), add_products();
    load_a(1), add_products();
    load_b(1), add_products();
    load_a(0), add_products();
    load_b(2), add_products();
    last.add(tiles(part_side, depth_tiles));
  }
  _tile_stored(0, out, out_bytes);
  _tile_stored(1, out + tile_side, out_bytes);
  _tile_stored(2, out + tile_side * part_side, out_bytes);
  _tile_stored(3, out + tile_side * part_side + tile_side, out_bytes);
}

}  // namespace

bool amx_available() {
  static bool const available = dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core_amx;
  return available;
}

// Measured: below these sizes oneDNN's products in single precision are as fast.
bool amx_suits(std::size_t m, std::size_t n, std::size_t k) {
  constexpr std::size_t side = 64, area = 12288;
  constexpr double waste = 1.5;
  auto const padded = [](std::size_t extent) { return static_cast<double>(tiles(extent, part_side) * part_side); };
  return m >= side && n >= side && m * n >= area && k >= tile_depth &&
         padded(m) * padded(n) * padded(k) <= waste * static_cast<double>(m * n * k);
}

void amx_product(bool transpose_a, bool transpose_b, std::size_t m, std::size_t n, std::size_t k, float alpha,
                 float const* a, std::size_t lda, float const* b, std::size_t ldb, float beta, float* c,
                 std::size_t ldc) {
  Factor const rows{a, transpose_a ? 1 : lda, transpose_a ? lda : 1, m, k};
  Factor const columns{b, transpose_b ? ldb : 1, transpose_b ? 1 : ldb, n, k};
  _tile_loadconfig(&tile_config);
  alignas(64) float parts[2][part_side * part_side];
  Adder adder;
  std::size_t turn = 0;
  for (std::size_t at = 0; at < k; at += depth_block) {
    for (std::size_t column = 0; column < n; column += column_block) {
      Factor const right = columns.block(column, column_block, at, depth_block);
      pack(right, true, packed_b);
      std::size_t const depth_tiles = tiles(right.depth, tile_depth);
      std::size_t const strip = depth_tiles * pieces * tile_size / tile_side;  // packed numbers for a row or column
      for (std::size_t row = 0; row < m; row += row_block) {
        Factor const left = rows.block(row, row_block, at, depth_block);
        pack(left, false, packed_a);
        for (std::size_t j = 0; j < right.vectors; j += part_side) {
          for (std::size_t i = 0; i < left.vectors; i += part_side, turn = 1 - turn) {
            multiply(packed_a + i * strip, packed_b + j * strip, depth_tiles, parts[turn], adder);
            adder = Adder(parts[turn], left.vectors - i, right.vectors - j, alpha, at == 0 ? beta : 1.0F,
                          c + (row + i) * ldc + column + j, ldc);
          }
        }
      }
    }
  }
  adder.add(part_side);
  _tile_release();
}

}  // namespace onedge::linalg
