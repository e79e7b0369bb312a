using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Reelbase.Server.Platform.Security;

/// <summary>Seals the framework's cookies and forms under keys made from the installation's secret, so that every node opens what another one sealed and nothing is kept on a disk.</summary>
public sealed class KeyedDataProtection(Keys keys) : IDataProtectionProvider
{
    /// <inheritdoc/>
    public IDataProtector CreateProtector(string purpose) => new Protector(keys, purpose);

    private sealed class Protector(Keys keys, string purpose) : IDataProtector
    {
        private readonly string _purpose = purpose;
        private readonly SecretBox _box = new(keys, "data protection " + purpose);

        public IDataProtector CreateProtector(string purpose) => new Protector(keys, $"{_purpose}\n{purpose}");

        public byte[] Protect(byte[] plaintext) => _box.Seal(Convert.ToBase64String(plaintext));

        public byte[] Unprotect(byte[] protectedData) =>
            Convert.FromBase64String(_box.Open(protectedData) ?? throw new CryptographicException("sealed under another key, or changed"));
    }
}
