"""From a model and batches to optimizer steps.

earlier.py     what an earlier session left in a run folder: a finished run, another run's checkpoint
run.py         a run that is open: processes, device, folder, checkpoint, TensorBoard, and what it says
resolve.py     what a configuration leaves open, decided once
fit.py         training from where a run starts to its end
trainer.py     RecipeTrainer: one optimizer step, cut into micro-batches by tokens
durable.py     DurableTrainer: sealed checkpoints, steps left out; what it relies on of transformers
loss.py        label-smoothed cross-entropy at supervised positions
callbacks.py   progress, TensorBoard, saving by the clock, a graceful stop
validation.py  the loss of recipes held out, and answers, while the model trains
processes.py   several processes: what they agree on, and how they end together
sharding.py    a frozen base spread over processes
costs.py       memory, disk and time by formula
speed.py       this machine, measured
plan.py        both together: what a run will take
curves.py      the course of a run as a picture
"""
