using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Reelbase.Tests.Support;

/// <summary>What servers of this process log as their own fault, so that a test that meets a 500 can say why: the test program drops what they write to the console.</summary>
public sealed class ServerErrors : ILoggerProvider, ILogger
{
    private const int MaxKept = 500;
    private static readonly ConcurrentQueue<string> Kept = new();

    /// <summary>What was logged with this word in it, such as a trace id; empty when nothing was.</summary>
    public static string Find(string word) => string.Join('\n', Kept.Where(line => line.Contains(word, StringComparison.Ordinal)));

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }
        Kept.Enqueue($"{formatter(state, exception)} {exception}");
        while (Kept.Count > MaxKept)
        {
            Kept.TryDequeue(out _);
        }
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
