/** The first stop of the keyboard: past the head, to what the page is about. */
export function SkipLink() {
  return (
    <a class="skip-link" href="#main">
      Skip to the content
    </a>
  );
}
