// The page before there are samples.
interface WelcomeProps {
  readonly isReading: boolean;
  /** The address asks for a view of samples that were dropped. */
  readonly hasView: boolean;
}

export function Welcome({ isReading, hasView }: WelcomeProps) {
  return (
    <main class="welcome">
      <h2>{isReading ? "Reading…" : hasView ? "Drop the files of this view again" : "Drop length files here"}</h2>
      <p>
        JSON, JSON Lines, CSV with a header or .npy, plain or gzipped: a list of samples with the numbers that fill a
        device, such as image tiles and tokens. Several files are read one after another.
      </p>
      <p>Nothing is uploaded: this page has no access to the network, and everything is computed here.</p>
    </main>
  );
}
