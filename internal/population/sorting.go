package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// Workers who earn more everywhere work for employers who pay everybody more:
// those whom an employer hires first have an effect drawn around its own, and
// among those on the market it takes the one who is nearest to such a draw. So the
// correlation of both effects lasts through the years although workers move and
// employers' effects drift (Abowd, Kramarz and Margolis 1999).

// ability is a standard normal draw of the worker's own; r is free to use.
func (s *skeleton) ability(address uint64, r *rng.Stream) float64 {
	s.key.Reseed(r, stageAbility, address)
	return r.QuickNormal()
}

// sorting is how worker effects follow the effect of the employer who hires.
type sorting struct {
	on, sd float64 // worker effect per unit of the employer's, and its spread given that
}

func sortingOf(x *calibration.Wages, correlation float64) sorting {
	return sorting{x.WorkerSD * correlation / x.FirmSD, x.WorkerSD * math.Sqrt(1-correlation*correlation)}
}

func (g *sorting) effect(psi, z float64) float32 {
	return float32(float64(g.on*psi) + float64(g.sd*z))
}

// effectOf is what a worker earns everywhere, log, but for the Pareto top; r is
// free to use.
func (s *skeleton) effectOf(x *worker, r *rng.Stream) float32 {
	year, g := s.since(x), &s.hires
	if year < s.o.From {
		g = &s.stock
	}
	return g.effect(s.effect(&s.employers[x.origin], year), s.ability(x.address(), r))
}

// wantedEffect is the worker effect that an opening of that rank looks for.
func (s *skeleton) wantedEffect(e *employer, year int, rank uint64) float32 {
	z := s.normal[rng.Mix(rank, 3)>>(64-normalBits)]
	return s.hires.effect(s.effect(e, year), float64(z))
}

const normalBits = 10

// normalQuantiles lists quantiles of the standard normal distribution.
func normalQuantiles() (z [1 << normalBits]float32) {
	for k := range z {
		z[k] = float32(math.Sqrt2 * math.Erfinv(2*(float64(k)+.5)/float64(len(z))-1))
	}
	return z
}
