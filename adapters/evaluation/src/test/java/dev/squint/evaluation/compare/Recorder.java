package dev.squint.evaluation.compare;

import dev.squint.evaluation.EvaluationListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** Remembers what it is told. */
final class Recorder implements EvaluationListener {

  final List<String> tasks = new CopyOnWriteArrayList<>();
  final List<String> sentences = new CopyOnWriteArrayList<>();
  final AtomicLong promised = new AtomicLong();
  final AtomicLong steps = new AtomicLong();
  final AtomicLong failures = new AtomicLong();

  @Override
  public void started(String task, long most) {
    tasks.add(task);
    promised.addAndGet(most);
  }

  @Override
  public void stepped(boolean failed) {
    steps.incrementAndGet();
    failures.addAndGet(failed ? 1 : 0);
  }

  @Override
  public void said(String sentence) {
    sentences.add(sentence);
  }
}
