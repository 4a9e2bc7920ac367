// Package measure holds what the benchmarks and the counting tests have in
// common: CPU time and peak memory of processes (Meter), the requests of a run
// by verb and resource (Tally), and the longest chain of requests that waited
// for each other (Trace, Chain). It judges nothing: bounds are its callers'.
package measure
