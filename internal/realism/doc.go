// Package realism compares a population with what is known of the real one: a
// scorecard of targets, each with its source, the realised figure, a tolerance
// and a verdict.
//
// Targets stand in targets.yaml, or in a file of the same layout. Measures work
// on the tables of a population folder alone, so that they judge any table of
// that layout, and on nothing that was planted except where they say so.
//
// A target of status S, S*, D (sourced, or derived from sourced figures) or C (a
// rule of structure) that describes the frame of the population, or one that it
// takes over, fails the check when it is missed. Expert knowledge and assumptions
// are judged and shown, with the reason of a miss where one is known; figures of
// another frame are shown beside as context. What cannot be judged (years that
// are absent, too few employers) says so and counts as neither.
//
// A target is missed when the realised figure lies outside its range by more
// than the tolerance plus the sampling error: Student's 99 % quantile times the
// standard error of a delete-a-group jackknife over 32 random groups of
// employers, each with all its workers and years (Kott 2001, Journal of Official
// Statistics 17, 521-526). At full scale the error is small; at a thousand
// employers it keeps the luck of the draw from failing a target. Where it is more
// than twice the tolerance and the target is not missed, the verdict is
// "not judged": such a target would pass whatever the population.
//
// # JSON
//
// A [Scorecard] is written as
//
//	{"version": 1,
//	 "population": {"employers": 20000, "from": 2003, "to": 2021, "world": …, "suppliers": …, "seed": …},
//	 "rows": {"employers": …, "accounts": …, "suppliers": …, "jobs": …},
//	 "summary": {"targets": …, "met": …, "missed": …, "failed": …, "not_judged": …, "context": …},
//	 "sections": [{"title": …, "targets": [
//	   {"name": …, "measure": …, "year": 2012, "group": …, "status": "S", "source": …, "frame": "ours",
//	    "unit": "%", "low": 0.105, "high": 0.105, "tolerance": 0.015, "noise": 0.009, "value": 0.112,
//	    "verdict": "met", "fails": false, "reason": …}]}]}
//
// with low, high, tolerance, noise and value in one unit (shares for "%"); noise
// and value are null where there is none, and then reason says why. Verdicts are
// met, missed, context and not judged. Names and meanings do not change within a
// version; readers ignore keys they do not know.
package realism
