# gnuplot -c plot.gp FOLDER: makes learning.svg and drift.svg from the tables in that folder.
folder = ARG1
set datafile separator ","
set terminal svg size 860,420 font "sans-serif,12" background "white"
set key autotitle columnheader inside right top
set grid ytics
set logscale x
set linetype 5 linecolor rgb "#c02020"
set ylabel "polls, over those of the best schedule with the same delay"

set output folder."/learning.svg"
set title "Jobs of about a minute, one after the other (dotted: a poll every 5 s)"
set xlabel "jobs that have ended"
set xrange [8:1000]
set yrange [0.95:3.2]
table = folder."/learning.csv"
plot 1.1 with lines dashtype 2 linecolor "gray40" title "goal after 1,000 jobs", \
  for [i = 0:4] table index i using 1:2 with lines linewidth 2 linecolor i + 1 title columnheader(1), \
  for [i = 0:4] table index i using 1:6 with lines dashtype 3 linecolor i + 1 notitle

set output folder."/drift.svg"
set title "After a change (gray: the other changes)"
set xlabel "jobs since the change"
set xrange [1:500]
table = folder."/drift.csv"
goal(jobs) = jobs < 50 ? NaN : jobs < 300 ? 1.3 : 1.15
plot goal(x) with lines dashtype 2 linecolor "gray40" title "goal", \
  for [i = 0:14] table index i using 1:2 with lines linecolor "gray70" notitle, \
  for [i = 2:14:3] table index i using 1:2 with lines linewidth 2 linecolor i / 3 + 1 title columnheader(1)
