// Rotation of spaces: the residual stream, and the values of each layer's heads.
//
// Both are tried and taken only where they help. What counts is the error of linears' outputs on
// the calibration text, tr(E H E^T), with the grids and the fit they will have, as a share of what
// it is without; every linear counts alike. Heads are decided layer by layer, the stream as a
// whole. That is cheaper than the KL divergence of whole models, and needs no second one in memory;
// it says nothing of errors that make up for each other, or of the embedding's.
#pragma once

#include "pipeline/rewrite_pass.h"

namespace zp {

Rewriting rotate_spaces(const RewritePass& pass, Progress& progress, RewriteResult& result);

}  // namespace zp
