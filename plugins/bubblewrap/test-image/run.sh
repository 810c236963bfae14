#!/bin/sh
echo "the runner would run here"
