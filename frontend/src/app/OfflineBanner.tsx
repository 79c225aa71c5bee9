import { useLayoutEffect, useState } from 'preact/hooks';

/** Says that the connection is gone, for as long as it is; the live region stays, so that it is heard. */
export function OfflineBanner() {
  const [online, setOnline] = useState(navigator.onLine);
  useLayoutEffect(() => {
    const look = (): void => {
      setOnline(navigator.onLine);
    };
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    return () => {
      window.removeEventListener('online', look);
      window.removeEventListener('offline', look);
    };
  }, []);
  return (
    <div role="status">
      {online ? null : <p class="offline">You are offline. A running job is looked at again once the connection is back.</p>}
    </div>
  );
}
