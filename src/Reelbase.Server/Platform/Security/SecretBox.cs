using System.Security.Cryptography;
using System.Text;

namespace Reelbase.Server.Platform.Security;

/// <summary>Encrypts small secrets of others that have to be kept (AES-256-GCM under a key derived from the installation's secret).</summary>
/// <param name="keys">The installation's keys.</param>
/// <param name="purpose">What the secrets are; a box of another purpose cannot open them.</param>
public sealed class SecretBox(Keys keys, string purpose)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly byte[] _key = keys.Derive(purpose);

    /// <summary>nonce ‖ tag ‖ ciphertext.</summary>
    public byte[] Seal(string secret)
    {
        var plain = Encoding.UTF8.GetBytes(secret);
        var box = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(box.AsSpan(0, NonceBytes), plain, box.AsSpan(NonceBytes + TagBytes), box.AsSpan(NonceBytes, TagBytes));
        return box;
    }

    /// <summary>The secret, or null when the box was changed or closed under another key.</summary>
    public string? Open(byte[] box)
    {
        if (box.Length < NonceBytes + TagBytes)
        {
            return null;
        }
        var plain = new byte[box.Length - NonceBytes - TagBytes];
        try
        {
            using var aes = new AesGcm(_key, TagBytes);
            aes.Decrypt(box.AsSpan(0, NonceBytes), box.AsSpan(NonceBytes + TagBytes), box.AsSpan(NonceBytes, TagBytes), plain);
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
