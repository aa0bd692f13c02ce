// Generated: the general categories of all code points as the regular expressions of the `tokenizers` library know them
// (Unicode 16), and what its normalizer does not know. The host's own tables are another version on every host.

/**
 * Runs of code points from 0 on: a letter for the class (U upper or title case letter, l lower case letter, o other
 * letter, m mark, n number, p punctuation, s symbol, - anything else) and the length in base 36.
 */
const RUNS = [
  "-x p3 s1 p6 s1 p4 na p2 s3 p2 Uq p3 s1 p1 s1 lq p1 s1 p1 s1 -y p1 s5 p1 s2 o1 p1 s1 -1 s4 n2 s1 l1 p2 s1 n1",
  "o1 p1 n3 p1 Un s1 U7 lo s1 l8 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l2 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l2 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U2 l1 U1 l1 U1 l3 U2 l1 U1 l1 U2 l1 U3 l2 U4 l1",
  "U2 l1 U3 l3 U2 l1 U2 l1 U1 l1 U1 l1 U2 l1 U1 l2 U1 l1 U2 l1 U3 l1 U1 l1 U2 l2 o1 U1 l3 o4 U2 l1 U2 l1 U2 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l2 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l2 U2 l1",
  "U1 l1 U3 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l7 U2 l1 U2 l2 U1 l1 U4 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1x o1 lr oi s4 oc se o5 s7 o1 s1 o1 sh m34 U1 l1 U1 l1 o1 s1 U1 l1 -2 o1 l3 p1 U1 -4 s2 U1",
  "p1 U3 -1 U1 -1 U2 l1 Uh -1 U9 lz U1 l2 U3 l3 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l5 U1 l1 s1 U1 l1 U2 l2 U1f l1c U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 s1 m7 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U2 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l2 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 -1 U12 -2",
  "o1 p6 l15 p2 -2 s3 -1 m19 p1 m1 p1 m2 p1 m2 p1 m1 -8 or -4 o4 p2 -h s3 p2 s1 p2 s2 mb p1 -1 p3 o17 ml na p4",
  "o2 m1 o2r p1 o1 m7 -1 s1 m6 o2 m2 s1 m4 o2 na o3 s2 o1 pe -2 o1 m1 ou mr -2 o2h mb o1 -e na ox m9 o2 s1 p3",
  "o1 -2 m1 s2 om m4 o1 m9 o1 m3 o1 m5 -2 pf -1 op m3 -2 p1 -1 ob -5 oo s1 o6 -8 m9 o16 mo -1 mx o1i m3 o1 mi",
  "o1 m7 oa m2 p2 na p1 og m3 -1 o8 -2 o2 -2 om -1 o7 -1 o1 -3 o4 -2 m1 o1 m7 -2 m2 -2 m3 o1 -8 m1 -4 o2 -1 o3",
  "m2 -2 na o2 s2 n6 s2 o1 p1 m1 -2 m3 -1 o6 -4 o2 -2 om -1 o7 -1 o2 -1 o2 -1 o2 -2 m1 -1 m5 -4 m2 -2 m3 -3 m1",
  "-7 o4 -1 o1 -7 na m2 o3 m1 p1 -a m3 -1 o9 -1 o3 -1 om -1 o7 -1 o2 -1 o5 -2 m1 o1 m8 -1 m3 -1 m3 -2 o1 -f o2",
  "m2 -2 na p1 s1 -7 o1 m6 -1 m3 -1 o8 -2 o2 -2 om -1 o7 -1 o2 -1 o5 -2 m1 o1 m7 -2 m2 -2 m3 -7 m3 -4 o2 -1 o3",
  "m2 -2 na s1 o1 n6 -a m1 o1 -1 o6 -3 o3 -1 o4 -3 o2 -1 o1 -1 o2 -3 o2 -3 o3 -3 oc -4 m5 -3 m3 -1 m4 -2 o1 -6",
  "m1 -e nd s8 -5 m5 o8 -1 o3 -1 on -1 og -2 m1 o1 m7 -1 m3 -1 m4 -7 m2 -1 o3 -2 o1 -2 o2 m2 -2 na -7 p1 n7 s1",
  "o1 m3 p1 o8 -1 o3 -1 on -1 oa -1 o5 -2 m1 o1 m7 -1 m3 -1 m4 -7 m2 -6 o2 -1 o2 m2 -2 na -1 o2 m1 -c m4 o9 -1",
  "o3 -1 o15 m2 o1 m7 -1 m3 -1 m4 o1 s1 -4 o3 m1 n7 o3 m2 -2 nj s1 o6 -1 m3 -1 oi -3 oo -1 o9 -1 o1 -2 o7 -3 m1",
  "-4 m6 -1 m1 -1 m8 -6 na -2 m2 p1 -c o1c m1 o2 m7 -4 s1 o7 m8 p1 na p2 -11 o2 -1 o1 -1 o5 -1 oo -1 o1 -1 oa",
  "m1 o2 m9 o1 -2 o5 -1 o1 -1 m7 -1 na -2 o4 -w o1 s3 pf s1 p1 s3 m2 s6 nk s1 m1 s1 m1 s1 m1 p4 m2 o8 -1 o10 -4",
  "mk p1 m2 o5 mb -1 m10 -1 s8 m1 s6 -1 s2 p5 s4 p2 -11 o17 mk o1 na p6 o6 m4 o4 m3 o1 m3 o2 m7 o3 m4 od mc o1",
  "m1 na m4 s2 U12 -1 U1 -5 U1 -2 l17 p1 o1 l3 o95 -1 o4 -2 o7 -1 o1 -1 o4 -2 o15 -1 o4 -2 ox -1 o4 -2 o7 -1 o1",
  "-1 o4 -2 of -1 o1l -1 o4 -2 o1v -2 m3 p9 nk -3 og sa -6 U2e -2 l6 -2 p1 oh8 s1 p1 oh -1 oq p2 -3 o23 p3 n3",
  "o8 -7 oi m4 -9 oj m3 p2 -9 oi m2 -c od -1 o3 -1 m2 -c o1g mw p3 o1 p3 s1 o1 m1 -2 na -6 na -6 pb m3 -1 m1 na",
  "-6 o2h -7 o5 m2 oy m1 o1 -5 o1y -a ov -1 mc -4 mc -4 s1 -3 p2 na ou -2 o5 -b o18 -4 oq -6 nb -3 sy on m5 -2",
  "p2 o1h ma -1 mt -2 m1 na -6 na -6 p7 o1 p6 -2 mv -1d m5 o1b mh o8 -1 p2 na p7 sa m9 s9 p3 m3 ou md o2 na o18",
  "me -8 p4 o10 mk -3 p5 na -3 o3 na o10 p2 l9 U1 l1 -5 U17 -2 U3 p8 -8 m3 p1 ml o4 m1 o6 m1 o2 m3 o1 -5 l18",
  "o1r ld o1 ly o11 m1s U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l9 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1",
  "l1 U1 l9 U8 l6 -2 U6 -2 l8 U8 l8 U8 l6 -2 U6 -2 l8 -1 U1 -1 U1 -1 U1 -1 U1 l8 U8 le -2 l8 U8 l8 U8 l8 U8 l5",
  "-1 l2 U5 s1 l1 s3 l3 -1 l2 U5 s3 l4 -2 l2 U4 -1 s3 l8 U5 s3 -2 l3 -1 l2 U5 s2 -h po -8 pk s1 pd s1 pc -h n1",
  "o1 -2 n6 s3 p2 o1 na s3 p2 -1 od -3 sx -f mx -f s2 U1 s4 U1 s2 l1 U3 l2 U3 l1 s1 U1 s3 U5 s6 U1 s1 U1 s1 U1",
  "s1 U4 s1 l1 U4 l1 o4 l1 s2 l2 U2 s5 U1 l4 s4 l1 s1 n1f U1 l1 n5 s2 -4 sag p4 st p2 s73 -m sb -l n1o s26 nm",
  "sh4 pe nu s1d p2 sv pa sb7 pm s1r p4 sw p2 sae -2 sw -1 s2x U1c l1c U1 l1 U3 l2 U1 l1 U1 l1 U1 l1 U4 l1 U1",
  "l2 U1 l6 o2 U3 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l2 s6 U1 l1 U1",
  "l1 m3 U1 l1 -5 p4 n1 p2 l12 -1 l1 -5 l1 -2 o1k -7 o1 p1 -e m1 on -9 o7 -1 o7 -1 o7 -1 o7 -1 o7 -1 o7 -1 o7",
  "-1 o7 -1 mw p1b o1 pw s2 pc -y sq -1 s2h -c s5y -q sg -1 p3 s1 o2 n1 pa s2 pc s1 n9 m6 p1 o5 s2 n3 o2 p1 s2",
  "-1 o2e -2 m2 s2 o3 p1 o2i p1 o4 -5 o17 -1 o2m -1 s2 n4 sa ow s12 -9 s1 og sv -1 na su n8 s1 nf sw na s13 nf",
  "s8w o534 s1s oh3h -3 s1j -9 o1a p2 o7h p3 og na o2 -k U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 o1 m4 p1 ma p1 o1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 o2 m2 o1y na m2 p6 -8 sn o9 s2",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l3 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1",
  "U1 l1 U1 l1 o1 l8 U1 l1 U1 l1 U2 l1 U1 l1 U1 l1 U1 l1 U1 l1 o1 s2 U1 l1 U1 l1 o1 U1 l1 U1 l3 U1 l1 U1 l1 U1",
  "l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U5 l1 U5 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U1 l1 U4 l1 U1",
  "l1 U2 l1 -2 U1 l1 -1 l1 -1 l1 U1 l1 U1 l1 U1 l1 U1 -l o3 U1 l1 o3 l1 o7 m1 o3 m1 o4 m1 on m5 s4 m1 -3 n6 s4",
  "-6 o1g p4 -8 m2 o1e mi -8 p2 na -6 mi o6 p3 o1 p1 o2 m1 na os m8 p2 on md -b p1 ot -3 m4 o1b me pd -1 o1 na",
  "-4 p2 o5 m1 oa na o5 -1 o15 me -9 o3 m1 o8 m2 -2 na -2 p4 on s3 o1 m3 o1e m1 o1 m3 o2 m2 o5 m2 o1 m1 o1 -o",
  "o3 p2 ob m5 p2 o3 m2 -a o6 -2 o6 -2 o6 -9 o7 -1 o7 -1 l17 s1 o4 l9 o1 s2 -4 l28 oz m8 p1 m2 -2 na -6 o8mc -c",
  "on -4 o1d -6is oa6 -2 o2y -12 l7 -c l5 -5 o1 m1 oa s1 od -1 o5 -1 o1 -1 o2 -1 o2 -1 o30 sh -g oa3 p2 sg o1s",
  "-2 o1i -7 s1 -w oc s4 mg pa -6 mg pz -1 pe s1 p1 s3 -1 p1 s1 p2 -4 o5 -1 o3r -4 p3 s1 p6 s1 p4 na p2 s3 p2",
  "Uq p3 s1 p1 s1 lq p1 s1 p1 s1 p7 o2h -3 o6 -2 o6 -2 o6 -2 o3 -3 s7 -1 s7 -d s2 -2 oc -1 oq -1 oj -1 o2 -1 of",
  "-2 oe -y o3f -5 p3 -4 n19 -3 s9 n1l sh n2 s3 -1 sd -3 s1 -1b s19 m1 -3m ot -3 o1d -f m1 nr -4 ow n4 -9 ok n1",
  "o8 n1 -5 o12 m5 -5 ou -1 p1 o10 -4 o8 p1 n5 -16 U14 l14 o26 -2 na -6 U10 -4 l10 -4 o14 -8 o1g -b p1 Ub -1 Uf",
  "-1 U7 -1 U2 -1 lb -1 lf -1 l7 -1 l2 -3 o1g -c o8n -9 om -a o8 -o o6 -1 o16 -1 o9 -1x o6 -2 o1 -1 o18 -1 o2",
  "-3 o1 -2 on -1 p1 n8 on s2 n7 ov -8 n9 -1c oj -1 o2 -5 n5 om n6 -3 p1 oq -5 p1 -1s o1k -4 n2 o2 ng -2 n1a o1",
  "m3 -1 m2 -5 m4 o4 -1 o3 -1 ot -2 m3 -4 m1 n9 -7 p9 -7 ot n2 p1 ot n3 -w o8 s1 os m2 -4 n5 p7 -9 o1i -3 p7 om",
  "-2 n8 oj -5 n8 oi -7 p4 -c n7 -28 o21 -1j U1f -d l1f -7 n6 o10 m4 -8 na -6 na o6 Um -3 m5 p1 o1 lm -8 s2 -5s",
  "nv -1 o16 -1 m2 p1 -2 o2 -g o3 -1j m4 ot na o1 -8 om mb n4 p5 -m oi m4 p4 -12 ol n7 -k on -9 m3 o1h mf p7 -4",
  "nu m1 o2 m2 o1 -9 m4 o19 mb p2 -1 p4 m1 -d op -7 na -6 m3 o10 me -1 na p4 o1 m2 o1 -8 oz m1 p2 o1 -9 m3 o1c",
  "me o4 p4 m4 p1 m2 na o1 p1 o1 p3 -1 nk -b oi -1 op mc p6 m1 o2 m1 -1q o7 -1 o1 -1 o4 -1 of -1 oa p1 -6 o1b",
  "mc -5 na -6 m4 -1 o8 -2 o2 -2 om -1 o7 -1 o2 -1 o5 -1 m2 o1 m7 -2 m2 -2 m3 -2 o1 -6 m1 -5 o5 m2 -2 m7 -3 m5",
  "-b oa -1 o1 -2 o1 -1 o12 -1 o1 m9 -1 m1 -2 m1 -1 m4 -1 m5 o1 m1 o1 p2 -1 p2 -8 m2 -t o1h mi o4 p5 na p2 -1",
  "p1 m1 o3 -u o1c mk o2 p1 o1 -8 na -4m o1b m7 -2 m9 pn o4 m2 -y o1c mh p3 o1 -b na -6 pd -j o17 md o1 p1 -6",
  "na -6 nk -s or -2 mf -4 nc p3 s1 o7 -55 o18 mf p1 -2s Uw lw nj -c o8 -2 o1 -2 o8 -1 o2 -1 oo m6 -1 m2 -2 m4",
  "o1 m1 o1 m2 p3 -9 na -1y o8 -2 o13 m7 -2 m7 o1 p1 o1 m1 -r o1 ma o14 m7 o1 m4 p8 m1 -8 o1 mb o1a mg p3 o1 p5",
  "-d o21 -7 pa -52 ox p1 -e na -6 o9 -1 o11 m8 -1 m8 o1 p5 -a nt -3 p2 ou -2 mm -1 me -21 o7 -1 o2 -1 o12 m6",
  "-3 m1 -1 m2 -1 m7 o1 m1 -8 na -6 o6 -1 o2 -1 ow m5 -1 m2 -1 m5 o1 -7 na -8m oj m4 p2 -7 m2 o1 m1 od -1 oy m7",
  "-3 m5 pd na m1 -2d o1 -f nl st -d p1 opm -2u n33 -1 p5 -b o5g -218 o2p p2 -d ots -g m1 o6 mf -a o32z -5 og7",
  "-5a1 ou mi na -1c6 oft -7 ov -1 na -4 p2 o27 -1 na -6 ou -2 m5 p1 -a o1c m7 p5 s4 o4 p1 s1 -a na -1 n7 -1 ol",
  "-5 oj -c0 o19 p3 na -5i Uw lw nn p4 -2t o23 -4 m1 o1 m1j -7 m4 od -1s o2 p1 o1 m1 -b m2 -e o4qg -8 oye -15",
  "oa -6w7 o4 -1 o7 -1 o2 -1 o83 -f o1 -t o3 -2 o1 -e o4 -8 ob0 -1s4 o2z -5 od -3 o9 -7 oa -2 s1 m2 p1 -31c s6o",
  "na -6 sc4 -24 m1a -2 mn -9 s38 -1o s6u -a s13 -2 s1o m5 s3 m6 -8 m8 s2 m7 su m4 s1p -l s1u m3 s1 -3e nk -c",
  "nk -c s2f -9 np -3r Uq lq Uq l7 -1 li Uq lq U1 -1 U2 -2 U1 -2 U2 -2 U4 -1 U8 l4 -1 l1 -1 l7 -1 lb Uq lq U2",
  "-1 U4 -2 U8 -1 U7 -1 lq U2 -1 U4 -1 U5 -1 U1 -3 U7 -1 lq Uq lq Uq lq Uq lq Uq lq Uq lq Uq ls -2 Up s1 lp s1",
  "l6 Up s1 lp s1 l6 Up s1 lp s1 l6 Up s1 lp s1 l6 Up s1 lp s1 l6 U1 l1 -2 n1e se8 m1j s4 m1e s8 m1 se m1 s2 p5",
  "-f m5 -1 mf -uo la o1 lk -6 l6 -5x m7 -1 mh -2 m7 -1 m2 -1 m5 -5 o1q -x m1 -34 o19 -3 m7 o7 -2 na -4 o1 s1",
  "-8w ou m1 -h o18 m4 na -5 s1 -cw os m4 na -5y ou m2 o1 na -4 p1 -dc o7 -1 o4 -1 o2 -1 of -1 o5h -2 n9 m7 -15",
  "Uy ly m7 o1 -4 na -4 p2 -lt n1n s1 n3 s1 n4 -24 n19 s1 nf -5e o4 -1 or -1 o2 -1 o1 -2 o1 -1 oa -1 o4 -1 o1",
  "-1 o1 -6 o1 -4 o1 -1 o1 -1 o1 -1 o3 -1 o2 -1 o1 -2 o1 -1 o1 -1 o1 -1 o1 -1 o1 -1 o2 -1 o1 -2 o4 -1 o7 -1 o4",
  "-1 o4 -1 o1 -1 oa -1 oh -5 o3 -1 o5 -1 oh -1g s2 -7i s18 -4 s2s -c sf -2 sf -1 sf -1 s11 -a nd s4h -1k st -d",
  "s18 -4 s9 -7 s2 -e s6 -4a src -4 sh -3 sd -3 s3b -4 s2n -6 sc -4 s1 -f sc -4 s1k -8 sa -6 s14 -8 su -2 sc -4",
  "s2 -1q s9g -c se -2 sd -3 sa -5 s1k -7 sf -2 sb -6 s9 -7 s43 -1 s2k na -sm owyo -w o37e -6 o66 -2 o4g2 -e",
  "o5rl -f oha -1wi of2 -15u o3t7 -5 o38g -f9e8 m6o -47bk",
].join(" ");

/** Bits of a class. White space has its own, whatever its category. */
export const UPPER = 1;
export const LOWER = 2;
export const CASELESS = 4;
export const MARK = 8;
export const NUMBER = 16;
export const PUNCTUATION = 32;
export const SYMBOL = 64;
export const SPACE = 128;

export const LETTER = UPPER | LOWER | CASELESS;

const BITS: Readonly<Record<string, number>> = {
  U: UPPER,
  l: LOWER,
  o: CASELESS,
  m: MARK,
  n: NUMBER,
  p: PUNCTUATION,
  s: SYMBOL,
  "-": 0,
};

/** `\\s`, which is White_Space: no U+FEFF in it, but U+0085. */
const SPACES = [
  0x9, 0xa, 0xb, 0xc, 0xd, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,
  0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
];

let classes: Uint8Array | undefined;

/** The class of every code point, 1.1 MB. */
export function classTable(): Uint8Array {
  if (classes !== undefined) return classes;
  const table = new Uint8Array(0x110000);
  let at = 0;
  for (const run of RUNS.split(" ")) {
    const end = at + Number.parseInt(run.slice(1), 36);
    const bits = BITS[run[0]];
    if (bits !== 0) table.fill(bits, at, end);
    at = end;
  }
  for (const space of SPACES) table[space] = SPACE;
  classes = table;
  return table;
}

/** The code points whose class has one of `bits`, as the inside of a character class of a regular expression. */
export function classRanges(bits: number): string {
  const table = classTable();
  const hex = (codePoint: number) => `\\u{${codePoint.toString(16)}}`;
  let text = "";
  for (let at = 0; at < table.length; at++) {
    if ((table[at] & bits) === 0) continue;
    const from = at;
    while (at + 1 < table.length && (table[at + 1] & bits) !== 0) at++;
    text += from === at ? hex(from) : `${hex(from)}-${hex(at)}`;
  }
  return text;
}

const NEW_TO_NORMALIZER = [
  "7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1add 1ae0-1aeb 1df6-1dfa a82c 105c9 105d2 105da 105e4",
  "10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10efb 10efd-10eff 10f46-10f50 10f82-10f85 11070 1133b 11382-11385",
  "1138b 1138e 11390-11391 113b8 113bb 113c2 113c5 113c7-113c9 113ce-113d0 1145e 11839-1183a 11930 11935 11938",
  "1193d-1193e 11943 119e0 11a34 11a47 11a99 11d42 11d44-11d45 11d97 11f41-11f42 1611e-16129 1612f 16d63",
  "16d67-16d6a 16ff0-16ff1 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef",
  "1e6f5",
].join(" ");

/**
 * Code points that came into Unicode after the normalizer of `tokenizers` was written: it composes and reorders nothing
 * across them.
 */
export function unknownToNormalizer(): RegExp {
  const ranges = NEW_TO_NORMALIZER.split(" ").map((range) => range.replaceAll(/[0-9a-f]+/g, "\\u{$&}"));
  return new RegExp(`[${ranges.join("")}]`, "u");
}
