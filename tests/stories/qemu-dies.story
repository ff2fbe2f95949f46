# QEMU dies by itself: it is restarted in place.
up
qemu die vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > qemu die vm0
     0.000 --   > wait settle
     0.000 n1   QEMU of vm0 ends: signal 11
     0.015 n1   | vm vm0: died on n1: signal 11
     0.018 n1   | vm vm0: placed on n1
     0.051 n1   QEMU of vm0 starts
     0.129 n1   | vm vm0: runs on n1
