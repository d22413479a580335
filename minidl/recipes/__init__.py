"""Recipes: each trains one network on one kind of data, with presets of settings.

siamese.py      MNIST's digits as points of a plane, by a siamese network
cifar10.py      VGG19 with batch normalization, and smaller networks, on CIFAR-10
faces.py        embeddings of faces; triplets.py: the choice of triplets; embeddings.py: the losses,
                and remarks on a collapse
signals.py      the keys of a telephone, in one dimension
volumes.py      solids in noisy scans, in three dimensions
classifiers.py  what recipes for classification share
ranges.py       the allowed values of the settings

A recipe is a module with these names:

NETWORK                    its name
PRESETS                    {name of a preset: {setting: value}}
SCHEDULES                  {name: function(rate, epochs)} of the learning rate
task(data, **settings)     the minidl.training.Task
for_report(data)           the data that the report needs; raises FileError if they are missing
report(model, *for_report) {name: number}, measured on the test data
answers(model, *for_report)
                           of recipes for classification: the Answers on the test data, which
                           `report` also takes as `answers`
trained(path)              the network of a checkpoint
USUAL                      of some: {setting: value} that a checkpoint does not hold
"""
