/* The C runtime's functions of complex numbers, which wine's ucrtbase.dll does not have. Microsoft's compiler has no
   complex type: it hands over structures of two numbers, and its long double is a double. */

#include <complex.h>

#define VALUE_F struct value_f
#define VALUE struct value
VALUE_F { float real, imaginary; };
VALUE { double real, imaginary; };

static float complex from_f(VALUE_F value)
{
    return __builtin_complex(value.real, value.imaginary);
}

static double complex from(VALUE value)
{
    return __builtin_complex(value.real, value.imaginary);
}

static VALUE_F to_f(float complex value)
{
    return (VALUE_F){crealf(value), cimagf(value)};
}

static VALUE to(double complex value)
{
    return (VALUE){creal(value), cimag(value)};
}

#define NUMBER(name) \
    float our_##name##f(VALUE_F value) { return name##f(from_f(value)); } \
    double our_##name(VALUE value) { return name(from(value)); } \
    double our_##name##l(VALUE value) { return name(from(value)); }

#define FUNCTION(name) \
    VALUE_F our_##name##f(VALUE_F value) { return to_f(name##f(from_f(value))); } \
    VALUE our_##name(VALUE value) { return to(name(from(value))); } \
    VALUE our_##name##l(VALUE value) { return to(name(from(value))); }

NUMBER(creal)
NUMBER(cimag)
NUMBER(cabs)
NUMBER(carg)
FUNCTION(ccos)
FUNCTION(ccosh)
FUNCTION(cexp)
FUNCTION(clog)
FUNCTION(csin)
FUNCTION(csinh)
FUNCTION(csqrt)
FUNCTION(ctan)
FUNCTION(ctanh)

VALUE_F our_cpowf(VALUE_F base, VALUE_F power) { return to_f(cpowf(from_f(base), from_f(power))); }
VALUE our_cpow(VALUE base, VALUE power) { return to(cpow(from(base), from(power))); }
VALUE our_cpowl(VALUE base, VALUE power) { return to(cpow(from(base), from(power))); }
