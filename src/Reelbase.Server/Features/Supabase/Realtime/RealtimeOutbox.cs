using System.Net.WebSockets;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>What one client has not read yet. Whoever adds to it never waits; a client that reads too slowly is dropped.</summary>
internal sealed class RealtimeOutbox(WebSocket socket, int maxBytes, Action<string> drop)
{
    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _frames = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (WebSocketCloseStatus Status, string Reason)? _close;
    private int _bytes;
    private bool _isSending;
    private bool _isOver;

    /// <summary>Ends when the good-bye was sent, or nothing can be sent any more.</summary>
    public Task Done => _done.Task;

    /// <summary>Adds a message.</summary>
    public void Send(byte[] frame)
    {
        lock (_lock)
        {
            if (_isOver || _close is not null)
            {
                return;
            }
            if (_bytes == 0 || _bytes + frame.Length <= maxBytes)
            {
                _frames.Enqueue(frame);
                _bytes += frame.Length;
                Start();
                return;
            }
            End();
        }
        // Outside of the lock, because the socket has one of its own.
        drop("slow_reader");
    }

    /// <summary>Adds the good-bye, behind everything else; nothing comes after it.</summary>
    public void Close(WebSocketCloseStatus status, string reason)
    {
        lock (_lock)
        {
            if (!_isOver && _close is null)
            {
                _close = (status, reason);
                Start();
            }
        }
    }

    private void Start()
    {
        if (!_isSending)
        {
            _isSending = true;
            // Elsewhere: whoever adds a message has more to do than to wait for a network.
            ThreadPool.UnsafeQueueUserWorkItem(static outbox => _ = outbox.SendAllAsync(), this, preferLocal: false);
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (true)
            {
                byte[]? frame;
                lock (_lock)
                {
                    if (!_frames.TryPeek(out frame) && _close is null)
                    {
                        _frames.TrimExcess();
                        _isSending = false;
                        return;
                    }
                }
                if (frame is null)
                {
                    await socket.CloseOutputAsync(_close!.Value.Status, _close.Value.Reason, CancellationToken.None);
                    break;
                }
                await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                lock (_lock)
                {
                    if (_frames.TryDequeue(out _))
                    {
                        _bytes -= frame.Length;
                    }
                }
            }
        }
        catch (Exception error)
            when (error is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has gone; its reader notices too.
        }
        lock (_lock)
        {
            End();
        }
    }

    private void End()
    {
        _isOver = true;
        _frames.Clear();
        _bytes = 0;
        _done.TrySetResult();
    }
}
