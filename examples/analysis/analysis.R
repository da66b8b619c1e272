# A study as its researchers might write it, in base R.
#
#   Rscript analysis.R DATA OUT
#
# DATA is a folder with employers.csv and cells.csv in the layout of phase two,
# OUT a file to which the coefficients are written: term, estimate, std.error.

arguments <- commandArgs(trailingOnly = TRUE)
data <- arguments[1]
out <- arguments[2]
employers <- read.csv(file.path(data, "employers.csv"), colClasses = "character", na.strings = "")
cells <- read.csv(file.path(data, "cells.csv"), colClasses = "character", na.strings = "")
if (is.null(employers$year)) employers$year <- cells$year <- "0"
if (is.null(employers$design_weight)) employers$design_weight <- "1"

# The midpoint of a class such as [25000,30000); NA where it is open.
middle <- function(label) {
  bounds <- regmatches(label, regexec("^\\[(.+),(.+)\\)$", label))
  vapply(bounds, function(b) if (length(b) == 3) mean(as.numeric(b[2:3])) else NA_real_, 0)
}

# A head count, or the middle of its class.
heads <- function(text) {
  n <- suppressWarnings(as.numeric(text))
  class <- is.na(n)
  n[class] <- middle(sub(",\\)", ",1e6)", text[class])) - 0.5
  n
}

# What is left of x after the weighted means of all groups are taken out.
within_groups <- function(x, weight, groups) {
  for (i in seq_len(if (length(groups) > 1) 200 else 1)) {
    moved <- 0
    for (g in groups) {
      mean <- rowsum(weight * x, g)[, 1] / rowsum(weight, g)[, 1]
      moved <- max(moved, abs(mean))
      x <- x - mean[g]
    }
    if (moved < 1e-9) break
  }
  unname(x)
}

# The slope of y on x with groups absorbed, and its clustered error.
slope <- function(term, y, x, weight, cluster, groups) {
  row <- function(b, se) data.frame(term = term, estimate = b, std.error = se)
  if (length(y) == 0) return(row(NA, NA))
  groups <- lapply(groups, as.character)
  y <- within_groups(y, weight, groups)
  x <- within_groups(x, weight, groups)
  bread <- sum(weight * x^2)
  if (bread < 1e-9) return(row(NA, NA))
  b <- sum(weight * x * y) / bread
  score <- rowsum(weight * x * (y - b * x), as.character(cluster))
  n <- length(score)
  row(b, if (n < 2) NA else sqrt(sum(score^2) * n / (n - 1)) / bread)
}

high <- as.numeric(!is.na(cells$level) & cells$level >= "L10" & cells$level != "U")
staff <- heads(cells$workers)
key <- function(d) paste(d$serial, d$year)
firm <- employers[match(key(cells), key(employers)), ]

# What does higher education earn, within a year?
wage <- if (is.null(cells$wage_class)) rep(NA_real_, nrow(cells)) else middle(cells$wage_class)
use <- !is.na(wage) & wage > 0
terms <- slope("wage premium of higher education", log(wage[use]), high[use],
               staff[use] * as.numeric(firm$design_weight[use]), cells$serial[use], list(cells$year[use]))

# What does automation do to staff, and to staff with higher education?
of <- key(cells)
all <- rowsum(staff, of)[, 1]
skilled <- rowsum(staff * high, of)[, 1]
panel <- employers[match(names(all), key(employers)), ]
mean_staff <- ave(all, panel$serial)
event <- if (is.null(panel$event_year)) rep(NA_real_, nrow(panel)) else suppressWarnings(as.numeric(panel$event_year))
group <- if (is.null(panel$group)) rep("", nrow(panel)) else panel$group
use <- !is.na(event) | group %in% "control"
post <- as.numeric(!is.na(event) & as.numeric(panel$year) >= event)
for (outcome in list(list("automation: head count", all), list("automation: higher education", skilled))) {
  terms <- rbind(terms, slope(outcome[[1]], (outcome[[2]] / mean_staff)[use], post[use],
                              as.numeric(panel$design_weight)[use], panel$serial[use], list(panel$serial[use], panel$year[use])))
}
write.csv(terms, out, row.names = FALSE)
