using System.Runtime.InteropServices;

namespace Reelbase.Dev;

/// <summary>Ctrl-C, a request to end and the end of the terminal, as one token: whoever holds children ends them in order before this process ends.</summary>
internal sealed class Signals : IDisposable
{
    /// <summary>What a shell answers for a command that was interrupted.</summary>
    public const int Interrupted = 130;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Listens from now on.</summary>
    public Signals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            if (!SystemCalls.Ignores(signal))
            {
                _registrations.Add(PosixSignalRegistration.Create(signal, Stop));
            }
        }
    }

    /// <summary>Cancelled by the first of them.</summary>
    public CancellationToken Token => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        // Not on the thread that hands out signals: what follows waits for children.
        ThreadPool.QueueUserWorkItem(_ => _stop.Cancel());
    }
}
