"""What was played: the rolling context of all parts, the human's phrases and motifs."""
